//! The call that a request becomes on L2, put together as the bridges do, so that the L2 node can say what it takes.
//!
//! A token's deposit calls `finalizeDeposit` of the L2 bridge with the raw answers of the token's name(), symbol() and
//! decimals() (`DataEncoding.encodeTokenData`):
//! <https://github.com/matter-labs/era-contracts/blob/5e7d0b405/l1-contracts/contracts/common/libraries/DataEncoding.sol>

use coldbridge::abi::{Token, address as address_token, as_address, as_uint, selector, uint};
use coldbridge::asset::AssetId;
use coldbridge::json::Cursor;
use coldbridge::network::{BaseToken, Network};
use coldbridge::operation::deposit::{LEGACY_DEPOSIT, REQUEST_L2_TRANSACTION_TWO_BRIDGES};
use coldbridge::operation::mailbox::REQUEST_L2_TRANSACTION_DIRECT;
use coldbridge::operation::request_execute::REQUEST_L2_TRANSACTION;
use coldbridge::transaction::Transaction;
use coldbridge::{Address, Json, Refusal, Spelling, Unsigned};
use ethabi::ethereum_types::U256;

use crate::contract::Contract;
use crate::quorum::Quorum;

/// L2AssetRouter, since v26.
const L2_ASSET_ROUTER: Address = Address::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 3]);
/// How token data says that it is of the form that names its origin chain.
const NEW_TOKEN_DATA: u8 = 0x01;
/// `finalizeDeposit` of the L2 bridges for tokens that are native to L1.
const FINALIZE_DEPOSIT: &str = "finalizeDeposit(address,address,address,uint256,bytes)";
/// `finalizeDeposit` of the L2 asset router for all others.
const FINALIZE_ASSET_DEPOSIT: &str = "finalizeDeposit(uint256,bytes32,bytes)";

/// A call on L2.
pub struct L2Call {
    /// Who makes it, after aliasing.
    pub from: Address,
    /// The called account.
    pub to: Address,
    /// The value that moves with it.
    pub value: U256,
    /// The calldata.
    pub data: Vec<u8>,
    /// The bytecodes that come with it.
    pub factory_deps: Vec<Vec<u8>>,
}

/// What a request's L2 side is.
pub enum L2Side {
    /// The call that the caller asks for.
    Call(L2Call),
    /// The one that a bridge makes to hand a token over.
    Bridge(L2Call),
    /// A bridge makes a call that only it knows.
    Unknown(&'static str),
}

/// The L2 side of the plan's request.
///
/// # Errors
/// Those of reading the token on L1.
pub fn of_plan(plan: &Unsigned, main: &Transaction, nodes: &Quorum) -> Result<L2Side, Refusal> {
    let document = plan.to_json();
    let sender = document.get("derived").and_then(|derived| derived.get("l2Sender")).and_then(address_of);
    let Some(from) = sender else { return Ok(L2Side::Unknown("the plan names no sender on L2")) };
    if let Some(direct) = direct(main.data(), from) {
        return Ok(L2Side::Call(direct));
    }
    let is_bridge =
        [REQUEST_L2_TRANSACTION_TWO_BRIDGES, LEGACY_DEPOSIT].iter().any(|f| main.data().starts_with(&f.selector));
    let intent = plan.request().intent_json();
    if !is_bridge || intent.get("bridge").is_some() {
        return Ok(L2Side::Unknown("the bridge decides what it calls"));
    }
    match Moved::read(&intent, plan.request().network()) {
        Some(moved) => moved.call(plan, from, nodes),
        None => Ok(L2Side::Unknown("it is no deposit of a token")),
    }
}

fn address_of(json: &Json) -> Option<Address> {
    Cursor::root(json).address(Spelling::AnyCase).ok()
}

/// A request whose L2 call stands in its calldata.
fn direct(data: &[u8], from: Address) -> Option<L2Call> {
    // The places of target, value, calldata and bytecodes.
    let (items, places) = if let Some(arguments) = REQUEST_L2_TRANSACTION_DIRECT.arguments(data) {
        let Some(Token::Tuple(items)) = arguments.into_iter().next() else { return None };
        (items, [2, 3, 4, 7])
    } else {
        (REQUEST_L2_TRANSACTION.arguments(data)?, [0, 1, 2, 5])
    };
    let arguments = places.iter().map(|at| items.get(*at).cloned()).collect::<Option<Vec<_>>>()?;
    let [to, value, Token::Bytes(data), Token::Array(deps)] = arguments.as_slice() else { return None };
    let bytes = |token: &Token| match token {
        Token::Bytes(bytes) => Some(bytes.clone()),
        _ => None,
    };
    Some(L2Call {
        from,
        to: as_address(to)?,
        value: as_uint(value)?,
        data: data.clone(),
        factory_deps: deps.iter().map(bytes).collect::<Option<_>>()?,
    })
}

/// A token on its way through a bridge.
struct Moved {
    /// On L1; how the contracts write ETH for ETH.
    token: Address,
    amount: U256,
    to: Address,
    origin: Option<(u64, Address)>,
}

impl Moved {
    fn read(intent: &Json, network: &Network) -> Option<Self> {
        let deposit = intent.get("operation")?.get("deposit")?;
        let token = match deposit.get("token")? {
            Json::Text(word) if word == "eth" => Address::ETH_TOKEN,
            Json::Text(word) if word == "base" => match network.base_token {
                BaseToken::Eth => Address::ETH_TOKEN,
                BaseToken::Erc20(token) => token,
            },
            other => address_of(other)?,
        };
        let origin = match deposit.get("tokenOrigin") {
            Some(origin) => {
                let chain = Cursor::root(origin.get("chainId")?).count(u64::MAX).ok()?;
                Some((chain, address_of(origin.get("address")?)?))
            }
            None => None,
        };
        let amount = Cursor::root(deposit.get("amount")?).amount().ok()?;
        Some(Self { token, amount, to: address_of(deposit.get("to")?)?, origin })
    }

    fn call(&self, plan: &Unsigned, from: Address, nodes: &Quorum) -> Result<L2Side, Refusal> {
        let network = plan.request().network();
        let caller = plan.request().from();
        let described = self.described(nodes)?;
        let call = |to, data| L2Side::Bridge(L2Call { from, to, value: U256::zero(), data, factory_deps: Vec::new() });
        if !network.has_asset_router() {
            // Before v26 each chain has its own L2 shared bridge, and the token data has no version.
            let Some(bridge) = network.l2_legacy_shared_bridge else {
                return Ok(L2Side::Unknown("the network pins no L2 shared bridge"));
            };
            return Ok(call(bridge, self.finalize(caller, ethabi::encode(&described))));
        }
        let origin_chain = self.origin.map_or(network.l1_chain_id, |(chain, _)| chain);
        let [name, symbol, decimals] = described;
        let token_data = [vec![NEW_TOKEN_DATA], ethabi::encode(&[uint(origin_chain), name, symbol, decimals])].concat();
        Ok(match self.origin.filter(|(chain, _)| *chain != network.l1_chain_id) {
            None => call(L2_ASSET_ROUTER, self.finalize(caller, token_data)),
            Some((chain, token)) => {
                let mint = ethabi::encode(&[
                    address_token(caller),
                    address_token(self.to),
                    address_token(token),
                    uint(self.amount),
                    Token::Bytes(token_data),
                ]);
                let asset = Token::FixedBytes(AssetId::native_token_vault(chain, token).0.to_vec());
                let arguments = ethabi::encode(&[uint(network.l1_chain_id), asset, Token::Bytes(mint)]);
                call(L2_ASSET_ROUTER, [selector(FINALIZE_ASSET_DEPOSIT).as_slice(), &arguments].concat())
            }
        })
    }

    fn finalize(&self, caller: Address, token_data: Vec<u8>) -> Vec<u8> {
        let arguments = ethabi::encode(&[
            address_token(caller),
            address_token(self.to),
            address_token(self.token),
            uint(self.amount),
            Token::Bytes(token_data),
        ]);
        [selector(FINALIZE_DEPOSIT).as_slice(), &arguments].concat()
    }

    /// Name, symbol and decimals as the bridge passes them on: whatever the token returned, undecoded.
    fn described(&self, nodes: &Quorum) -> Result<[Token; 3], Refusal> {
        if self.token == Address::ETH_TOKEN {
            let text = |text: &str| ethabi::encode(&[Token::String(text.to_owned())]);
            return Ok([text("Ether"), text("ETH"), ethabi::encode(&[uint(18)])].map(Token::Bytes));
        }
        let token = Contract { nodes, name: "token", address: self.token };
        Ok([token.raw("name()")?, token.raw("symbol()")?, token.raw("decimals()")?].map(Token::Bytes))
    }
}
