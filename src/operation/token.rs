//! What is moved and to whom: the token in the words of a request, the movement, and what is wrong with a recipient.

use ethabi::ethereum_types::U256;

use crate::address::{Address, Spelling};
use crate::json::{Cursor, Json, Members};
use crate::network::{BaseToken, Layer, Network};
use crate::refusal::{Code, Refusal};
use crate::units::with_decimals;

/// `token` of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenName {
    /// Named "eth".
    Eth,
    /// Named "base": the chain's base token.
    Base,
    /// The ERC-20 at this address of the operation's own layer.
    Erc20(Address),
}

impl TokenName {
    /// Reads `token`.
    pub fn read(cursor: &Cursor<'_>) -> Result<Self, Refusal> {
        if cursor.text()?.starts_with("0x") {
            return cursor.address(Spelling::AnyCase).map(Self::Erc20);
        }
        cursor.choice(&[("eth", Self::Eth), ("base", Self::Base)])
    }

    /// The name of a chain's base token on its own layer: ETH is called by its name.
    pub const fn base_of(network: &Network) -> Self {
        match network.base_token {
            BaseToken::Eth => Self::Eth,
            BaseToken::Erc20(_) => Self::Base,
        }
    }

    /// The word or address again.
    pub fn to_json(self) -> Json {
        match self {
            Self::Eth => Json::text("eth"),
            Self::Base => Json::text("base"),
            Self::Erc20(token) => Json::display(token),
        }
    }
}

/// Token, amount and recipient: what a deposit and a withdrawal have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movement {
    /// What moves.
    pub token: TokenName,
    /// How much of it, in base units.
    pub amount: U256,
    /// Who gets it on the other layer.
    pub to: Address,
}

impl Movement {
    /// Its members.
    pub const MEMBERS: &'static [&'static str] = &["token", "amount", "to"];

    /// Reads them.
    pub fn read(members: &Members<'_>, spelling: Spelling) -> Result<Self, Refusal> {
        Ok(Self {
            token: TokenName::read(&members.required("token")?)?,
            amount: members.required("amount")?.amount()?,
            to: members.required("to")?.address(spelling)?,
        })
    }

    /// The members again, the token under the given name.
    pub fn members(&self, token: Json) -> Vec<(&'static str, Json)> {
        vec![("token", token), ("amount", Json::display(self.amount)), ("to", Json::display(self.to))]
    }

    /// What is wrong with recipient and amount.
    pub fn judge(&self, at: &str, network: &Network) -> Vec<Refusal> {
        let amount = self.amount.is_zero().then(|| {
            Refusal::new(
                Code::AMOUNT_ZERO,
                format!("{at}/amount"),
                "the amount is 0: only fees would be spent",
                "state the amount in base units (wei)",
            )
        });
        judge_recipient(self.to, &format!("{at}/to"), network).into_iter().chain(amount).collect()
    }
}

/// Whether money may be sent to an account: nobody owns the zero, system and bridge addresses.
pub fn judge_recipient(recipient: Address, at: &str, network: &Network) -> Option<Refusal> {
    let remedy = "write the address of the account that is to receive it";
    if recipient == Address::ZERO {
        return Some(Refusal::new(Code::RECIPIENT_ZERO, at, "the zero address: what arrives there is gone", remedy));
    }
    if recipient.is_system() {
        return Some(Refusal::new(
            Code::RECIPIENT_SYSTEM,
            at,
            format!("{recipient} is a system address (up to 0x1ffff): nobody has a key for it"),
            remedy,
        ));
    }
    let (field, _) = network.contracts().into_iter().find(|(_, contract)| *contract == recipient)?;
    Some(Refusal::new(
        Code::RECIPIENT_NETWORK_CONTRACT,
        at,
        format!("{recipient} is the {field} of {}: what it is sent can not be got back", network.name),
        remedy,
    ))
}

/// Whether an address is a token's own contract, here or on the other layer: nobody can spend what an ERC-20 holds of itself.
pub fn judge_token_contract(recipient: Address, token: TokenName, at: &str, network: &Network) -> Option<Refusal> {
    let pinned = || {
        let on = |layer| network.token_at(layer, recipient).map(|token| (layer, token));
        on(Layer::L1).or_else(|| on(Layer::L2)).map(|(layer, token)| format!("{} on {layer}", token.symbol))
    };
    let what = if token == TokenName::Erc20(recipient) {
        "the token itself".to_owned()
    } else if network.base_token == BaseToken::Erc20(recipient) {
        "the base token's contract on L1".to_owned()
    } else {
        pinned()?
    };
    Some(Refusal::new(
        Code::RECIPIENT_TOKEN,
        at,
        format!("{recipient} is {what}: what a token's contract is sent can not be got back"),
        "write the address of the account that is to receive it",
    ))
}

/// What is wrong with a token named in an operation of L2, where "eth" is only the base token's name.
pub fn judge_l2_token(token: TokenName, at: &str, network: &Network) -> Option<Refusal> {
    let unsupported =
        |problem: String, remedy: String| Some(Refusal::new(Code::TOKEN_UNSUPPORTED, at, problem, remedy));
    match (token, network.base_token) {
        (TokenName::Eth, BaseToken::Erc20(base)) => unsupported(
            format!("{} pays its gas in ERC-20 {base}: ETH is an ERC-20 there", network.name),
            "write the L2 address of that ERC-20, or \"base\" for the chain's base token".to_owned(),
        ),
        (TokenName::Erc20(token), BaseToken::Erc20(base)) if token == base => unsupported(
            format!("{token} is the base token's address on L1, which has no ERC-20 on L2"),
            "write \"base\"".to_owned(),
        ),
        (TokenName::Erc20(token), _) => {
            judge_layer(token, Layer::L2, at, network).or_else(|| super::approve::judge_token(token, at, network))
        }
        _ => None,
    }
}

/// What is wrong with an ERC-20 named in an operation of L1.
pub fn judge_l1_token(token: Address, at: &str, network: &Network) -> Option<Refusal> {
    super::approve::judge_token(token, at, network).or_else(|| judge_layer(token, Layer::L1, at, network))
}

/// A pinned token's address on the other layer is none on this one.
fn judge_layer(token: Address, layer: Layer, at: &str, network: &Network) -> Option<Refusal> {
    let other = match layer {
        Layer::L1 => Layer::L2,
        Layer::L2 => Layer::L1,
    };
    let known = network.token_at(other, token).filter(|known| known.address_on(layer) != Some(token))?;
    Some(Refusal::new(
        Code::TOKEN_UNSUPPORTED,
        at,
        format!("{token} is the address of {} on {other}, not on {layer}", known.symbol),
        match (known.address_on(layer), layer) {
            (Some(address), Layer::L1) => format!("write {address}, its address on L1"),
            (Some(address), Layer::L2) => format!("write {address}, its address on {}", network.name),
            (None, _) => format!("write its address on {layer}"),
        },
    ))
}

/// An amount for a person: ETH and pinned tokens with their decimals, everything else in base units; an ERC-20 always with
/// the full address that it has on that layer.
pub(crate) fn amount_in_words(network: &Network, layer: Layer, token: TokenName, amount: U256) -> String {
    let erc20 = |layer: Layer, token: Address| match network.token_at(layer, token) {
        Some(known) => format!(
            "{} {} ({amount} base units of ERC-20 {token})",
            with_decimals(amount, known.decimals),
            known.symbol
        ),
        None => format!("{amount} base units of ERC-20 {token}"),
    };
    match (token, network.base_token) {
        (TokenName::Eth, _) | (TokenName::Base, BaseToken::Eth) => {
            format!("{} ETH ({amount} wei)", with_decimals(amount, 18))
        }
        // The base token is named by its contract on L1, on whichever layer it moves.
        (TokenName::Base, BaseToken::Erc20(token)) => format!("{} (the base token)", erc20(Layer::L1, token)),
        (TokenName::Erc20(token), _) => erc20(layer, token),
    }
}
