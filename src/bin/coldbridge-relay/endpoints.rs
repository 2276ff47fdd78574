//! Which nodes are asked for which network: from the command line, or from a file of the operator's.
//!
//! The file is `coldbridge/relay-config/1`. Addresses of endpoints often hold a secret: no message shows more than the host.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coldbridge::json::{Cursor, Members};
use coldbridge::{Code, Layer, Network, Networks, Refusal, json};

use crate::cli::EndpointArgs;
use crate::networks::read_document;
use crate::quorum::Quorum;
use crate::rpc::{Endpoint, Limits};

/// The document of `--config`.
pub const SCHEMA: &str = "coldbridge/relay-config/1";

/// The nodes of one layer, and how many of them must agree.
#[derive(Clone)]
struct Nodes {
    endpoints: Vec<Arc<Endpoint>>,
    needed: usize,
}

/// Everything that can be asked.
pub struct Endpoints {
    /// Of the command line, for every network.
    given: BTreeMap<&'static str, Nodes>,
    /// Of the file, by network and layer.
    configured: BTreeMap<(String, &'static str), Nodes>,
    /// Those whose chain has been compared.
    open: Mutex<BTreeMap<(String, &'static str), Arc<Quorum>>>,
}

impl Endpoints {
    /// Reads the command line and the file. Nothing is connected yet.
    ///
    /// # Errors
    /// `usage.command` for a quorum that can not be, `relay.network` for an address that is not allowed, and what a strict
    /// document refuses.
    pub fn read(arguments: &EndpointArgs, connections: usize, networks: &Networks) -> Result<Self, Refusal> {
        let timeout = Duration::from_secs(arguments.request_timeout);
        let limits = Limits { timeout, retries: arguments.retries, connections };
        let mut given = BTreeMap::new();
        for (layer, urls) in [(Layer::L1, &arguments.l1), (Layer::L2, &arguments.l2)] {
            if !urls.is_empty() {
                let urls: Vec<(&str, String)> = urls.iter().map(|url| (url.as_str(), String::new())).collect();
                given.insert(layer.name(), Nodes::new(layer, &urls, arguments.quorum, limits)?);
            }
        }
        let configured = match &arguments.config {
            None => BTreeMap::new(),
            Some(path) => configured(path, arguments.quorum, limits, networks)?,
        };
        Ok(Self { given, configured, open: Mutex::new(BTreeMap::new()) })
    }

    /// Whether there are nodes for a network's layer.
    pub fn has(&self, network: &Network, layer: Layer) -> bool {
        self.given.contains_key(layer.name()) || self.configured.contains_key(&(network.name.clone(), layer.name()))
    }

    /// The network that the nodes of the command line serve, by their chain ids; without any, the only one of the file.
    ///
    /// # Errors
    /// `network.unknown` where no known network has these chains, `usage.command` where several do.
    pub fn network<'a>(&self, networks: &'a Networks) -> Result<&'a Network, Refusal> {
        let remedy = "say which with --network NAME; an own one needs its --network-file";
        if self.given.is_empty()
            && let Some((name, _)) = self.configured.keys().next()
        {
            let is_only = self.configured.keys().all(|(other, _)| other == name);
            return networks.find(name).filter(|_| is_only).ok_or_else(|| {
                Refusal::new(Code::USAGE, "", "the configuration has endpoints of several networks", remedy)
            });
        }
        let mut served = Vec::new();
        for layer in [Layer::L1, Layer::L2] {
            let Some(nodes) = self.given.get(layer.name()) else { continue };
            served.push((layer, Quorum::chain_id_of(layer, &nodes.endpoints)?));
        }
        let mut found = networks
            .iter()
            .filter(|network| !served.is_empty() && served.iter().all(|(layer, id)| network.chain_id(*layer) == *id));
        match (found.next(), found.next()) {
            (Some(network), None) => Ok(network),
            (None, _) => Err(Refusal::new(
                Code::NETWORK_UNKNOWN,
                "",
                "the endpoints serve the chains of no known network",
                remedy,
            )),
            (Some(_), Some(_)) => {
                Err(Refusal::new(Code::USAGE, "", "the endpoints serve the chains of several known networks", remedy))
            }
        }
    }

    /// The nodes of a network's layer, once they have been seen to serve its chain.
    pub fn of(&self, network: &Network, layer: Layer) -> Result<Arc<Quorum>, Refusal> {
        let key = (network.name.clone(), layer.name());
        let mut open = self.open.lock().map_err(|_| crate::output::bug("another thread died"))?;
        if let Some(known) = open.get(&key) {
            return Ok(Arc::clone(known));
        }
        let nodes = self.given.get(layer.name()).or_else(|| self.configured.get(&key)).ok_or_else(|| {
            Refusal::new(
                Code::USAGE,
                "",
                format!("{layer} of {} is needed, but there is no --{}", network.name, layer.name()),
                format!(
                    "pass the {layer} endpoint: --{} URL, or a --config FILE that has one for {}",
                    layer.name(),
                    network.name
                ),
            )
        })?;
        let quorum = Arc::new(Quorum::open(layer, nodes.endpoints.clone(), nodes.needed, network.chain_id(layer))?);
        open.insert(key, Arc::clone(&quorum));
        Ok(quorum)
    }
}

impl Nodes {
    /// Endpoints, each with its place in a document. Unless a number is given, all of them must agree.
    fn new(layer: Layer, urls: &[(&str, String)], quorum: Option<usize>, limits: Limits) -> Result<Self, Refusal> {
        let mut endpoints = Vec::new();
        for (index, (url, at)) in urls.iter().enumerate() {
            let endpoint = Endpoint::new(layer, url, at, limits)?;
            if urls.iter().take(index).any(|(earlier, _)| earlier == url) {
                return Err(Refusal::new(
                    Code::USAGE,
                    at.clone(),
                    format!("the {layer} endpoint at {} is named twice", endpoint.host()),
                    "name each endpoint once: one node that is asked twice agrees with itself",
                ));
            }
            endpoints.push(Arc::new(endpoint));
        }
        let needed = quorum.unwrap_or(endpoints.len());
        if (1..=endpoints.len()).contains(&needed) {
            return Ok(Self { endpoints, needed });
        }
        Err(Refusal::new(
            Code::USAGE,
            "",
            format!("{needed} endpoints of {layer} can not agree where {} are named", endpoints.len()),
            format!("name more endpoints with --{} URL, or lower --quorum", layer.name()),
        )
        .values(format!("1 to {}", endpoints.len()), needed))
    }
}

fn configured(
    path: &Path,
    quorum: Option<usize>,
    limits: Limits,
    networks: &Networks,
) -> Result<BTreeMap<(String, &'static str), Nodes>, Refusal> {
    let text = read_document(path, "--config")?;
    let json = json::parse(&text)?;
    let root = Cursor::root(&json);
    let members = root.document(SCHEMA, &["networks"], &[])?;
    let mut found = BTreeMap::new();
    let by_name = members.required("networks")?;
    for (name, value) in by_name.entries()? {
        let cursor = by_name.member(name, value);
        if networks.find(name).is_none() {
            return Err(cursor.refuse(
                Code::NETWORK_UNKNOWN,
                "no network of this name is known",
                "spell a name of `coldbridge network list`, or add its --network-file",
            ));
        }
        let layers = cursor.members(&[], &["l1", "l2"])?;
        for layer in [Layer::L1, Layer::L2] {
            if let Some(nodes) = nodes(&layers, layer, quorum, limits)? {
                found.insert((name.clone(), layer.name()), nodes);
            }
        }
    }
    Ok(found)
}

fn nodes(layers: &Members<'_>, layer: Layer, quorum: Option<usize>, limits: Limits) -> Result<Option<Nodes>, Refusal> {
    let Some(cursor) = layers.optional(layer.name()) else { return Ok(None) };
    let members = cursor.members(&["urls"], &["quorum"])?;
    let list = members.required("urls")?;
    let items = list.items()?;
    let urls = items.iter().map(|item| Ok((item.text()?, item.at()))).collect::<Result<Vec<_>, Refusal>>()?;
    let stated = members.optional("quorum").map(|count| count.count(u64::MAX)).transpose()?;
    let stated = stated.map(|count| usize::try_from(count).unwrap_or(usize::MAX));
    if urls.is_empty() {
        return Err(list.refuse(Code::USAGE, "no endpoint is named", "name at least one"));
    }
    Nodes::new(layer, &urls, quorum.or(stated), limits).map(Some)
}
