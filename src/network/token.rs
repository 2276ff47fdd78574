//! Where a token is native.

use crate::address::{Address, Spelling};
use crate::json::{Cursor, Json};
use crate::refusal::Refusal;

/// Where a token is native.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenOrigin {
    /// The chain.
    pub chain_id: u64,
    /// Its address there.
    pub token: Address,
}

impl TokenOrigin {
    /// Reads `{"chainId","address"}`.
    pub fn read(cursor: &Cursor<'_>) -> Result<Self, Refusal> {
        let members = cursor.members(&["chainId", "address"], &[])?;
        Ok(Self {
            chain_id: members.required("chainId")?.count(u64::MAX)?,
            token: members.required("address")?.address(Spelling::AnyCase)?,
        })
    }

    /// The same members again.
    pub fn to_json(self) -> Json {
        Json::object([("chainId", Json::count(self.chain_id)), ("address", Json::display(self.token))])
    }
}
