//! Who is behind a proxy: what the proxy says about its client, if it is to be believed.

use super::{Carrier, Scheme};
use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use http::HeaderMap;
use std::fmt;

/// The proxies that are believed when they say for whom a request is, and by which header they say so.
///
/// A client can send such headers as well, so nobody else is believed; of several addresses, it is the last that no
/// trusted proxy has. None is trusted by default.
///
/// ```
/// use bennu_core::connect::{Carrier, Scheme, TrustedProxies};
///
/// let proxies = TrustedProxies::new(["10.0.0.0/8", "::1"]).unwrap();
/// let request = http::Request::get("/")
///     .header("x-forwarded-for", "1.1.1.1, 192.0.2.7, 10.0.0.9") // the first one is made up by the client
///     .header("x-forwarded-proto", "https")
///     .body(())
///     .unwrap();
///
/// let tcp = Carrier { peer: Some("10.0.0.3:51000".parse().unwrap()), scheme: Scheme::Http };
/// let carrier = proxies.carrier(request.headers(), tcp);
/// assert_eq!(carrier.peer, Some("192.0.2.7:0".parse().unwrap()));
/// assert_eq!(carrier.scheme, Scheme::Https);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    spoken: Spoken,
}

/// Which headers the proxies set. A proxy that sets the one passes on what a client wrote into the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Spoken {
    #[default]
    XForwarded,
    Forwarded,
}

/// An address, or all that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

/// Why a text names no proxies: the caller's fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyEntryError {
    /// What stands before the slash, or all of it, is no IP address. Names are not looked up.
    Address {
        /// The entry.
        entry: String,
    },
    /// What follows the slash is no number of bits that the address has.
    Bits {
        /// The entry.
        entry: String,
    },
}

impl fmt::Display for ProxyEntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address { entry } => write!(f, "{entry:?} is neither an IP address nor a network of them"),
            Self::Bits { entry } => write!(f, "the network {entry:?} has no such number of bits"),
        }
    }
}

impl std::error::Error for ProxyEntryError {}

/// How many proxies there may be one behind the other; who is further away is not looked for.
const MAX_HOPS: usize = 32;

impl TrustedProxies {
    /// Trusts these addresses (`10.0.0.3`, `::1`) and networks (`10.0.0.0/8`, `fd00::/8`). What they say is read from
    /// `X-Forwarded-For` and `X-Forwarded-Proto`: they have to set both, whatever a client sent.
    ///
    /// # Errors
    /// [`ProxyEntryError`] for the first entry that is neither.
    pub fn new<E: AsRef<str>>(entries: impl IntoIterator<Item = E>) -> Result<Self, ProxyEntryError> {
        let networks: Result<_, _> =
            entries.into_iter().map(|entry| Network::parse(entry.as_ref())).collect();
        Ok(Self { networks: networks?, spoken: Spoken::default() })
    }

    /// Reads what they say from `Forwarded` (RFC 7239) instead, its parameters `for` and `proto`.
    #[must_use]
    pub fn forwarded(mut self) -> Self {
        self.spoken = Spoken::Forwarded;
        self
    }

    /// The carrier of a request as its client would see it: what came over TCP, unless that was a trusted proxy.
    ///
    /// `peer` has port 0 if no port was said, and is `None` if a trusted proxy says of its client what is no
    /// address (`unknown`, a name, garbage).
    #[must_use]
    pub fn carrier(&self, headers: &HeaderMap, tcp: Carrier) -> Carrier {
        if !tcp.peer.is_some_and(|peer| self.trusts(peer)) {
            return tcp;
        }
        match self.spoken {
            Spoken::XForwarded => self.x_forwarded(headers, tcp),
            Spoken::Forwarded => self.rfc_7239(headers, tcp),
        }
    }

    fn trusts(&self, peer: SocketAddr) -> bool {
        self.networks.iter().any(|network| network.contains(peer.ip()))
    }

    fn x_forwarded(&self, headers: &HeaderMap, tcp: Carrier) -> Carrier {
        let hops = || from_the_right(headers, "x-forwarded-for");
        let schemes = || from_the_right(headers, "x-forwarded-proto");
        let (mut peer, mut place) = (tcp.peer, 0);
        for (at, hop) in hops().take(MAX_HOPS).enumerate() {
            (peer, place) = (parse_address(hop), at);
            if !peer.is_some_and(|peer| self.trusts(peer)) {
                break;
            }
        }
        // One for each address, or else only the nearest proxy's counts: the others may be the client's.
        let is_paired = hops().count() == schemes().count();
        let scheme = schemes().nth(if is_paired { place } else { 0 }).and_then(parse_scheme);
        Carrier { peer, scheme: scheme.unwrap_or(tcp.scheme) }
    }

    fn rfc_7239(&self, headers: &HeaderMap, tcp: Carrier) -> Carrier {
        let mut carrier = tcp;
        // Commas within quotes part elements here, too: no address has any, and a quote that a client leaves open must
        // not swallow what its proxy appends.
        for element in from_the_right(headers, "forwarded").take(MAX_HOPS) {
            let Some(hop) = Hop::parse(element) else { return Carrier { peer: None, ..carrier } };
            carrier.scheme = hop.scheme.and_then(parse_scheme).unwrap_or(carrier.scheme);
            let Some(node) = hop.node else { return carrier };
            carrier.peer = parse_address(node);
            if !carrier.peer.is_some_and(|peer| self.trusts(peer)) {
                return carrier;
            }
        }
        carrier
    }
}

impl Network {
    fn parse(entry: &str) -> Result<Self, ProxyEntryError> {
        let (address, bits) = match entry.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (entry, None),
        };
        let written: IpAddr =
            address.parse().map_err(|_| ProxyEntryError::Address { entry: entry.to_owned() })?;
        let most = if written.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => Some(most),
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => bits.parse().ok(),
            Some(_) => None,
        };
        let address = written.to_canonical();
        // An IPv4 address in IPv6's clothes is one without them.
        let clothes = if address.is_ipv4() { most - 32 } else { 0 };
        match bits {
            Some(bits) if (clothes..=most).contains(&bits) => Ok(Self { address, bits: bits - clothes }),
            _ => Err(ProxyEntryError::Bits { entry: entry.to_owned() }),
        }
    }

    fn contains(&self, address: IpAddr) -> bool {
        let differs = match (self.address, address.to_canonical()) {
            (IpAddr::V4(one), IpAddr::V4(other)) => {
                (one.to_bits() ^ other.to_bits()).checked_shr(32 - self.bits).unwrap_or(0).into()
            }
            (IpAddr::V6(one), IpAddr::V6(other)) => {
                (one.to_bits() ^ other.to_bits()).checked_shr(128 - self.bits).unwrap_or(0)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => 1,
        };
        differs == 0_u128
    }
}

/// One element of `Forwarded`, as far as it matters.
#[derive(Default)]
struct Hop<'a> {
    node: Option<&'a str>,
    scheme: Option<&'a str>,
}

impl<'a> Hop<'a> {
    /// Shape: `for="[2001:db8::1]:4711";proto=https;by=203.0.113.43`; `None` if it is anything else.
    fn parse(element: &'a str) -> Option<Self> {
        let mut hop = Self::default();
        for pair in element.split(';') {
            let (name, value) = pair.split_once('=')?;
            let value = match value.trim().strip_prefix('"') {
                Some(quoted) => quoted.strip_suffix('"')?,
                None => value.trim(),
            };
            if value.contains(['"', '\\']) {
                return None;
            }
            let place = match name.trim().to_ascii_lowercase().as_str() {
                "for" => &mut hop.node,
                "proto" => &mut hop.scheme,
                _ => continue,
            };
            if place.replace(value).is_some() {
                return None;
            }
        }
        Some(hop)
    }
}

/// The entries of a list that may be spread over several lines, the last one first.
fn from_the_right<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter().rev();
    // What is no text is an entry that says nothing.
    let entries = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
    entries.map(str::trim).filter(|entry| !entry.is_empty())
}

/// An address with its port, or 0: `192.0.2.7`, `192.0.2.7:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn parse_address(text: &str) -> Option<SocketAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let alone = || text.parse().ok().or_else(bracketed).map(|address| SocketAddr::new(address, 0));
    let address = text.parse().ok().or_else(alone)?;
    Some(SocketAddr::new(address.ip().to_canonical(), address.port()))
}

/// Some proxies call a WebSocket's scheme by its own name.
fn parse_scheme(text: &str) -> Option<Scheme> {
    match text.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(Scheme::Https),
        "http" | "ws" => Some(Scheme::Http),
        _ => None,
    }
}
