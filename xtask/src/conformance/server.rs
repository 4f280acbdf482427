//! Where a server listens.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;

use anyhow::{Result, anyhow, bail};

use super::failure::Failure;

/// The base URL of a server: `http://127.0.0.1:4100`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    authority: String,
}

impl Server {
    /// Host and port, as in the `Host` header.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    pub(crate) fn address(&self) -> Result<SocketAddr, Failure> {
        let mut addresses = self.authority.to_socket_addrs()?;
        addresses.next().ok_or_else(|| Failure::new(format!("{self} has no address")))
    }
}

impl FromStr for Server {
    type Err = anyhow::Error;

    fn from_str(url: &str) -> Result<Self> {
        let rest =
            url.strip_prefix("http://").ok_or_else(|| anyhow!("a URL begins with http://, not {url}"))?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.is_empty() || authority.contains(['/', '?', '#', '@']) {
            bail!("a URL has a host, a port and nothing else: {url}");
        }
        let after_host = authority.rsplit_once(']').map_or(authority, |(_, rest)| rest);
        let port = if after_host.contains(':') { "" } else { ":80" };
        Ok(Self { authority: format!("{authority}{port}") })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_is_a_host_and_a_port() {
        assert_eq!(authority("http://127.0.0.1:4100").unwrap(), "127.0.0.1:4100");
        assert_eq!(authority("http://localhost/").unwrap(), "localhost:80");
        assert_eq!(authority("http://[::1]").unwrap(), "[::1]:80");
        assert_eq!(authority("http://[::1]:1").unwrap(), "[::1]:1");
    }

    #[test]
    fn anything_else_is_refused() {
        for url in ["127.0.0.1:4100", "https://x", "http://", "http://x/socket", "http://u@x"] {
            assert!(authority(url).is_err(), "{url}");
        }
    }

    fn authority(url: &str) -> Result<String> {
        Ok(url.parse::<Server>()?.authority)
    }
}
