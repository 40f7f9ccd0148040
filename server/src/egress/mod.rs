//! The one client for all that the server fetches from elsewhere or sends there.
//!
//! Addresses are typed by people and answers written by strangers, so it does less than other clients do. It connects only to the
//! public internet, and to what the setting `egress_allow` lists; follows no redirect, uses no proxy, unpacks nothing, and reads no
//! more and waits no longer than it was told. A name is resolved once, and what is connected to is one of the addresses that were
//! checked: that a name means something else a moment later (DNS rebinding) gains nothing. For that it opens its connections
//! itself, and speaks HTTP/1.1 over them.

mod addresses;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Body as _, Bytes},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{self, ClientConfig, RootCertStore, pki_types::ServerName},
};
use url::{Host, Position, Url};

pub use addresses::{Allowed, BadAllowed, is_global};

/// How the client calls itself.
const USER_AGENT: &str = concat!("Porchlight/", env!("CARGO_PKG_VERSION"));
/// How many addresses of a name are tried.
const ADDRESSES_TRIED: usize = 4;
/// Headers that say how a message is framed or where it goes: those are ours.
static OURS: [HeaderName; 9] = [
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::USER_AGENT,
];

/// Whether a header is one that the client sets itself.
#[must_use]
pub fn is_ours(name: &HeaderName) -> bool {
    OURS.contains(name)
}

/// How much the client does for one request.
#[derive(Debug, Clone)]
pub struct EgressLimits {
    /// The longest that it may take, from resolving the name to the last byte of the answer.
    pub timeout: Duration,
    /// The largest body of an answer, in bytes.
    pub body_limit: usize,
    /// Whether a longer one is cut off there, where the status is what matters; else it is an error.
    pub cut: bool,
    /// What may be connected to besides the public internet. Only those may be spoken to without TLS.
    pub allow: Vec<Allowed>,
}

/// What is asked of somebody else.
#[derive(Clone)]
pub struct Request<'a> {
    /// The method.
    pub method: Method,
    /// Where it goes: https, or http to a host that is allowed.
    pub url: Url,
    /// Further headers; those that frame the message are left out.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// User name and password, sent as RFC 7617 has it.
    pub basic: Option<(String, String)>,
    /// The body; may be empty.
    pub body: Vec<u8>,
    /// What the body is.
    pub content_type: Option<&'a str>,
}

impl Request<'_> {
    /// Asks for what is at an address.
    #[must_use]
    pub const fn get(url: Url) -> Self {
        Self { method: Method::GET, url, headers: Vec::new(), basic: None, body: Vec::new(), content_type: None }
    }
}

/// What was answered, whatever its status: a redirect is an answer, too.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as it came.
    pub body: Vec<u8>,
}

/// Why there is no answer. Hosts are named, their addresses are not: whoever reads this may be who typed the name of a host.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(rustls::Error),
    /// It is no address of the web.
    #[error("expected an address that begins with https://")]
    Scheme,
    /// It has no TLS.
    #[error("expected https:// before {0}: http:// is only for hosts that the setting egress_allow lists")]
    Plain(String),
    /// The address has a user name or password in it, which would end up in logs.
    #[error("expected an address without user name and password in it")]
    UserInfo,
    /// The path has characters that cannot be sent.
    #[error("expected an address whose path can be sent as it is")]
    Path,
    /// A user name with a colon cannot be told from its password.
    #[error("expected a user name without a colon")]
    UserName,
    /// The media type is none.
    #[error("expected a media type such as text/calendar")]
    ContentType,
    /// The host is not for the server to reach.
    #[error("expected {0} to be on the public internet; what is not can be listed in the setting egress_allow")]
    Refused(String),
    /// There is no such host, or nobody says so.
    #[error("the name {host} cannot be resolved: {problem}")]
    Name {
        /// The host.
        host: String,
        /// What was said.
        problem: io::Error,
    },
    /// Nobody answers there.
    #[error("{host} cannot be connected to: {problem}")]
    Connect {
        /// The host.
        host: String,
        /// What was said.
        problem: io::Error,
    },
    /// It is not the host, or does not prove it.
    #[error("no safe connection to {host}: {problem}")]
    Handshake {
        /// The host.
        host: String,
        /// What was said.
        problem: io::Error,
    },
    /// The answer is not HTTP, or ended before its end.
    #[error("expected a whole answer in HTTP/1.1 from {host}: {problem}")]
    Http {
        /// The host.
        host: String,
        /// What was wrong.
        problem: hyper::Error,
    },
    /// The answer is too long.
    #[error("expected an answer of at most {limit} bytes from {host}")]
    TooLarge {
        /// The host.
        host: String,
        /// The most that is read.
        limit: usize,
    },
    /// It took too long.
    #[error("expected an answer from {host} within {} ms", .limit.as_millis())]
    TooSlow {
        /// The host.
        host: String,
        /// How long it may take.
        limit: Duration,
    },
}

/// The client.
#[derive(Debug, Clone)]
pub struct Egress {
    tls: Arc<ClientConfig>,
    limits: Arc<EgressLimits>,
}

/// Where a request goes.
#[derive(Clone, PartialEq, Eq)]
struct Target {
    host: Host<String>,
    port: u16,
    tls: bool,
}

impl Egress {
    /// A client with its limits.
    ///
    /// # Errors
    /// If TLS cannot be set up, which is a fault of the build.
    pub fn new(limits: EgressLimits) -> Result<Self, EgressError> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        // The provider is named here, not for the whole process: what others choose does not matter.
        let mut tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(EgressError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { tls: Arc::new(tls), limits: Arc::new(limits) })
    }

    /// Sends a request, and waits for the whole answer.
    ///
    /// # Errors
    /// Why there is none. That the status says of something that it failed is an answer.
    pub async fn send(&self, request: Request<'_>) -> Result<Answer, EgressError> {
        self.line().send(request).await
    }

    /// A line that keeps its connection, for who sends often to the same host.
    #[must_use]
    pub fn line(&self) -> Line {
        Line { egress: self.clone(), kept: None }
    }

    /// Says of an address, before anything is sent to it, what can be said without asking for its name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, url: &Url) -> Result<(), EgressError> {
        let target = self.target(url)?;
        let address = match target.host {
            Host::Domain(_) => return Ok(()),
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
        };
        self.checked(&target.host, vec![SocketAddr::from((address, target.port))]).map(drop)
    }

    /// Connects, and says that it will speak HTTP.
    async fn open(&self, target: &Target) -> Result<Connection, EgressError> {
        let stream = self.connect(target).await?;
        if !target.tls {
            return Connection::over(target, stream).await;
        }
        let broken = |problem| EgressError::Handshake { host: target.host.to_string(), problem };
        let name = match &target.host {
            Host::Domain(name) => ServerName::try_from(without_dot(name).to_owned())
                .map_err(|problem| broken(io::Error::new(io::ErrorKind::InvalidInput, problem)))?,
            Host::Ipv4(address) => ServerName::from(*address),
            Host::Ipv6(address) => ServerName::from(*address),
        };
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await.map_err(broken)?;
        Connection::over(target, stream).await
    }

    /// What can be said of an address before its name is resolved.
    fn target(&self, url: &Url) -> Result<Target, EgressError> {
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(EgressError::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EgressError::UserInfo);
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(EgressError::Scheme);
        };
        let host = host.to_owned();
        if !tls && !self.lists(&host) {
            return Err(EgressError::Plain(host.to_string()));
        }
        Ok(Target { host, port, tls })
    }

    /// Whether the setting lists a host as it is written in the address.
    fn lists(&self, host: &Host<String>) -> bool {
        match host {
            Host::Domain(name) => {
                let name = without_dot(name);
                self.limits.allow.iter().any(|allowed| matches!(allowed, Allowed::Host(listed) if listed == name))
            }
            Host::Ipv4(address) => self.lists_address(IpAddr::V4(*address)),
            Host::Ipv6(address) => self.lists_address(IpAddr::V6(*address)),
        }
    }

    fn lists_address(&self, address: IpAddr) -> bool {
        let is_in = |net: &IpNet| net.contains(&address) || net.contains(&address.to_canonical());
        self.limits.allow.iter().any(|allowed| matches!(allowed, Allowed::Net(net) if is_in(net)))
    }

    /// Of the addresses of a host, those that may be connected to.
    fn checked(&self, host: &Host<String>, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, EgressError> {
        let listed = self.lists(host);
        let good = |address: &SocketAddr| listed || is_global(address.ip()) || self.lists_address(address.ip());
        let addresses: Vec<_> = addresses.into_iter().filter(good).take(ADDRESSES_TRIED).collect();
        if addresses.is_empty() { Err(EgressError::Refused(host.to_string())) } else { Ok(addresses) }
    }

    /// Asks once for the addresses of a host, and connects.
    async fn connect(&self, target: &Target) -> Result<TcpStream, EgressError> {
        let port = target.port;
        let found = match &target.host {
            Host::Domain(name) => {
                let unknown = |problem| EgressError::Name { host: name.clone(), problem };
                let found: Vec<_> = tokio::net::lookup_host((name.as_str(), port)).await.map_err(unknown)?.collect();
                if found.is_empty() {
                    return Err(unknown(io::Error::new(io::ErrorKind::NotFound, "it has no address")));
                }
                found
            }
            Host::Ipv4(address) => vec![SocketAddr::from((*address, port))],
            Host::Ipv6(address) => vec![SocketAddr::from((*address, port))],
        };
        self.reach(target, found).await
    }

    /// A connection to one of the addresses that a host was found at: the first that may be connected to and answers. The name is not
    /// asked for any more.
    async fn reach(&self, target: &Target, found: Vec<SocketAddr>) -> Result<TcpStream, EgressError> {
        let addresses = self.checked(&target.host, found)?;
        // An address where nobody answers leaves time for the next, and for what comes after.
        let share = self.limits.timeout / u32::try_from(addresses.len() + 1).unwrap_or(u32::MAX);
        let mut problem = io::Error::from(io::ErrorKind::TimedOut);
        for address in addresses {
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => problem = error,
                Err(_) => problem = io::Error::from(io::ErrorKind::TimedOut),
            }
        }
        Err(EgressError::Connect { host: target.host.to_string(), problem })
    }

    /// Sends a message over a connection and reads the answer. Whether the connection is good for another message is said with it.
    async fn speak(
        &self,
        target: &Target,
        connection: &mut Connection,
        message: hyper::Request<Full<Bytes>>,
    ) -> Result<(Answer, bool), EgressError> {
        let broken = |problem| EgressError::Http { host: target.host.to_string(), problem };
        let limit = self.limits.body_limit;
        let too_large = || EgressError::TooLarge { host: target.host.to_string(), limit };
        let (parts, mut body) = connection.sender.send_request(message).await.map_err(broken)?.into_parts();
        let mut answer = Answer { status: parts.status, headers: parts.headers, body: Vec::new() };
        if !self.limits.cut && !usize::try_from(body.size_hint().lower()).is_ok_and(|least| least <= limit) {
            return Err(too_large());
        }
        while let Some(frame) = body.frame().await {
            // Trailers are nothing we asked for.
            let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
            let room = limit - answer.body.len();
            if data.len() > room {
                if !self.limits.cut {
                    return Err(too_large());
                }
                answer.body.extend_from_slice(&data[..room]);
                return Ok((answer, false));
            }
            answer.body.extend_from_slice(&data);
        }
        Ok((answer, true))
    }
}

/// A connection on which HTTP is spoken. It is driven as long as this lives, and no longer: a set of tasks ends them when it goes.
struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    _driver: JoinSet<()>,
}

impl Connection {
    async fn over<S>(target: &Target, stream: S) -> Result<Self, EgressError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let broken = |problem| EgressError::Http { host: target.host.to_string(), problem };
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let mut driver = JoinSet::new();
        // How it ended, whoever sends over it is told.
        driver.spawn(async move { drop(connection.await) });
        Ok(Self { sender, _driver: driver })
    }
}

/// Sends one request after the other, and keeps the connection between them while they go to the same host: to the address that was
/// checked when it was opened.
pub struct Line {
    egress: Egress,
    kept: Option<(Target, Connection)>,
}

impl Line {
    /// Sends a request, and waits for the whole answer.
    ///
    /// # Errors
    /// Why there is none. That the status says of something that it failed is an answer.
    pub async fn send(&mut self, request: Request<'_>) -> Result<Answer, EgressError> {
        let target = self.egress.target(&request.url)?;
        let limit = self.egress.limits.timeout;
        // What is under way when it takes too long is dropped, connection and all.
        let answer = timeout(limit, self.exchange(&target, request)).await;
        answer.unwrap_or_else(|_| Err(EgressError::TooSlow { host: target.host.to_string(), limit }))
    }

    async fn exchange(&mut self, target: &Target, request: Request<'_>) -> Result<Answer, EgressError> {
        let message = message(request)?;
        let kept = self.kept.take().filter(|(known, connection)| known == target && !connection.sender.is_closed());
        if let Some((_, connection)) = kept {
            match self.over(target, connection, message.clone()).await {
                // The other side may close a connection that nothing was said on for a while, just when something is: then it
                // is said again on a new one.
                Err(EgressError::Http { problem, .. }) if was_closed(&problem) => {}
                done => return done,
            }
        }
        let connection = self.egress.open(target).await?;
        self.over(target, connection, message).await
    }

    async fn over(
        &mut self,
        target: &Target,
        mut connection: Connection,
        message: hyper::Request<Full<Bytes>>,
    ) -> Result<Answer, EgressError> {
        let (answer, whole) = self.egress.speak(target, &mut connection, message).await?;
        if whole && connection.sender.ready().await.is_ok() {
            self.kept = Some((target.clone(), connection));
        }
        Ok(answer)
    }
}

/// Whether a connection ended before anything was answered.
fn was_closed(problem: &hyper::Error) -> bool {
    problem.is_canceled() || problem.is_closed() || problem.is_incomplete_message()
}

fn message(request: Request<'_>) -> Result<hyper::Request<Full<Bytes>>, EgressError> {
    let Request { method, url, headers, basic, body, content_type } = request;
    let authority = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => return Err(EgressError::Scheme),
    };
    let mut message = hyper::Request::new(Full::new(Bytes::from(body)));
    *message.method_mut() = method;
    *message.uri_mut() = url[Position::BeforePath..Position::AfterQuery].parse().map_err(|_| EgressError::Path)?;
    let sent = message.headers_mut();
    for (name, value) in headers {
        if !is_ours(&name) {
            sent.append(name, value);
        }
    }
    sent.insert(header::HOST, HeaderValue::try_from(authority).map_err(|_| EgressError::Scheme)?);
    sent.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    sent.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(kind) = content_type {
        sent.insert(header::CONTENT_TYPE, HeaderValue::from_str(kind).map_err(|_| EgressError::ContentType)?);
    }
    if let Some((user, password)) = basic {
        if user.contains(':') {
            return Err(EgressError::UserName);
        }
        let token = data_encoding::BASE64.encode(format!("{user}:{password}").as_bytes());
        let mut value = HeaderValue::try_from(format!("Basic {token}")).map_err(|_| EgressError::UserName)?;
        value.set_sensitive(true);
        sent.insert(header::AUTHORIZATION, value);
    }
    Ok(message)
}

/// A name without the dot that says it is complete.
fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// Servers of tests, on this machine.
#[cfg(test)]
pub(crate) mod local {
    use std::{
        net::SocketAddr,
        sync::{Arc, Mutex},
    };

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    /// What a server was sent, one text a request.
    pub(crate) type Heard = Arc<Mutex<Vec<String>>>;

    /// Answers each connection with the next of these, as it is, and closes it.
    pub(crate) async fn serve(answers: Vec<Vec<u8>>) -> (SocketAddr, Heard) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Heard::default();
        let noted = Arc::clone(&heard);
        tokio::spawn(async move {
            for answer in answers {
                let (mut socket, _) = listener.accept().await.unwrap();
                let request = hear(&mut socket).await;
                noted.lock().unwrap().push(request);
                // A client that has read enough is gone by now.
                let _ = socket.write_all(&answer).await;
                let _ = socket.shutdown().await;
            }
        });
        (address, heard)
    }

    /// An answer with a body and its length.
    pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    /// A whole request: its head, and the body that the head says it has.
    pub(crate) async fn hear(socket: &mut TcpStream) -> String {
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&request).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let lengths =
                    head.lines().filter_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned));
                let length: usize = lengths.map(|length| length.trim().parse::<usize>().unwrap()).sum();
                if body.len() >= length {
                    return text;
                }
            }
            let count = socket.read(&mut buffer).await.unwrap();
            assert!(count > 0, "the request ended before its end: {text}");
            request.extend_from_slice(&buffer[..count]);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncWriteExt, net::TcpListener};

    use super::{
        local::{answer, hear, serve},
        *,
    };

    const LOOPBACK: &str = "127.0.0.0/8, ::1";

    fn egress(allow: &str) -> Egress {
        let allow = Allowed::list(allow).unwrap();
        Egress::new(EgressLimits { timeout: Duration::from_millis(800), body_limit: 1_000, cut: false, allow }).unwrap()
    }

    fn get(url: &str) -> Request<'static> {
        let url = url.parse().unwrap();
        Request { method: Method::GET, url, headers: Vec::new(), basic: None, body: Vec::new(), content_type: None }
    }

    #[tokio::test]
    async fn however_a_local_address_is_spelled_it_is_refused() {
        let egress = egress("");
        let spellings = [
            "https://127.0.0.1/",
            "https://127.0.0.1./",
            "https://127.1/",
            "https://127.0.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.0.0.1/",
            "https://0x7f.1/",
            "https://0177.0.0.01/",
            "https://017700000001/",
            "https://0/",
            "https://%31%32%37.0.0.1/",
            "https://\u{ff10}\u{ff38}\u{ff43}\u{ff10}\u{ff0e}\u{ff10}\u{ff12}\u{ff15}\u{ff10}\u{ff0e}\u{ff10}\u{ff11}/",
            "https://10.0.0.1:8443/",
            "https://169.254.169.254/latest/meta-data/",
            "https://2852039166/latest/meta-data/",
            "https://0xa9fea9fe/latest/meta-data/",
            "https://0251.0376.0251.0376/latest/meta-data/",
            "https://169.254.43518/latest/meta-data/",
            "https://127\u{3002}0\u{3002}0\u{3002}1/",
            "https://\u{2460}\u{2461}\u{2466}.\u{24ea}.\u{24ea}.\u{2460}/",
            "https://[::1]/",
            "https://[::]/",
            "https://[0:0:0:0:0:0:0:1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://[::127.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://[64:ff9b:1::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[fd00:ec2::254]/",
            "https://[fe80::1]/",
            "https://localhost/",
            "https://LOCALHOST/",
        ];
        for url in spellings {
            let error = egress.send(get(url)).await.unwrap_err();
            assert!(matches!(error, EgressError::Refused(_)), "{url}: {error}");
        }
    }

    #[tokio::test]
    async fn other_addresses_than_those_of_the_web_are_not_taken() {
        let egress = egress("");
        for (url, word) in [
            ("ftp://example.com/", "https://"),
            ("file:///etc/passwd", "https://"),
            ("data:,x", "https://"),
            ("http://example.com/", "http:// is only for"),
            ("http://127.0.0.1/", "http:// is only for"),
            ("https://user@example.com/", "without user name"),
            ("https://:password@example.com/", "without user name"),
        ] {
            let error = egress.send(get(url)).await.unwrap_err().to_string();
            assert!(error.contains(word) && error.starts_with("expected"), "{url}: {error}");
        }
        let mut request = get("https://example.com/");
        request.basic = Some(("a:b".to_owned(), "c".to_owned()));
        assert!(matches!(egress.send(request).await, Err(EgressError::UserName)));
    }

    #[test]
    fn of_several_addresses_only_the_good_are_used() {
        let host = Host::Domain("example.com".to_owned());
        let addresses = |list: &[&str]| list.iter().map(|address| address.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let mixed = addresses(&["10.0.0.1:443", "93.184.216.34:443", "[::1]:443", "[2606:4700::1]:443", "192.168.1.7:443"]);
        let good = addresses(&["93.184.216.34:443", "[2606:4700::1]:443"]);
        assert_eq!(egress("").checked(&host, mixed.clone()).unwrap(), good);
        let listed = addresses(&["93.184.216.34:443", "[2606:4700::1]:443", "192.168.1.7:443"]);
        assert_eq!(egress("192.168.0.0/16").checked(&host, mixed.clone()).unwrap(), listed);
        assert_eq!(egress("example.com").checked(&host, mixed.clone()).unwrap(), mixed[..ADDRESSES_TRIED].to_vec());
        assert_eq!(egress("other.example.com").checked(&host, mixed).unwrap(), good);
        let error = egress("").checked(&host, addresses(&["10.0.0.1:443", "[fe80::1]:443"])).unwrap_err().to_string();
        assert!(error.contains("example.com") && error.contains("egress_allow") && !error.contains("10.0.0.1"), "{error}");
        let mapped = addresses(&["[::ffff:192.168.1.7]:443"]);
        assert_eq!(egress("192.168.0.0/16").checked(&host, mapped.clone()).unwrap(), mapped);
    }

    #[tokio::test]
    async fn what_is_allowed_is_reached_by_address_and_by_name() {
        let (address, heard) = serve(vec![
            answer("200 OK", "X-Kind: first\r\n", "hello"),
            answer("201 Created", "", ""),
            answer("404 Not Found", "", "no"),
        ])
        .await;
        let first = egress(LOOPBACK).send(get(&format!("http://{address}/a/b?c=d#e"))).await.unwrap();
        assert_eq!((first.status, first.body.as_slice()), (StatusCode::OK, b"hello".as_slice()));
        assert_eq!(first.headers["x-kind"], "first");

        let mut request = get(&format!("http://{address}/"));
        request.method = Method::PUT;
        request.body = b"body".to_vec();
        request.content_type = Some("text/plain");
        request.basic = Some(("ada".to_owned(), "p:w".to_owned()));
        let odd = [("content-length", "1"), ("host", "elsewhere"), ("x-more", "1"), ("transfer-encoding", "chunked")];
        request.headers = odd.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).to_vec();
        assert_eq!(egress(LOOPBACK).send(request).await.unwrap().status, StatusCode::CREATED);

        let by_name = egress("localhost").send(get(&format!("http://localhost:{}/", address.port()))).await.unwrap();
        assert_eq!((by_name.status, by_name.body.as_slice()), (StatusCode::NOT_FOUND, b"no".as_slice()));

        let heard = heard.lock().unwrap().iter().map(|request| request.to_ascii_lowercase()).collect::<Vec<_>>();
        assert!(heard[0].starts_with("get /a/b?c=d http/1.1\r\n"), "{}", heard[0]);
        assert!(heard[0].contains(&format!("\r\nhost: {address}\r\n")), "{}", heard[0]);
        assert!(heard[0].contains("\r\nuser-agent: porchlight/"), "{}", heard[0]);
        assert!(heard[1].starts_with("put / http/1.1\r\n") && heard[1].ends_with("\r\n\r\nbody"), "{}", heard[1]);
        assert!(heard[1].contains("\r\ncontent-length: 4\r\n") && heard[1].contains("\r\nx-more: 1\r\n"), "{}", heard[1]);
        assert!(heard[1].contains("\r\nauthorization: basic ywrhona6dw==\r\n"), "{}", heard[1]);
        assert!(!heard[1].contains("elsewhere") && !heard[1].contains("chunked"), "{}", heard[1]);
    }

    #[tokio::test]
    async fn what_is_not_allowed_is_not_even_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for url in [
            format!("https://127.0.0.1:{port}/"),
            format!("https://localhost:{port}/"),
            format!("https://[::ffff:7f00:1]:{port}/"),
        ] {
            assert!(matches!(egress("10.0.0.0/8").send(get(&url)).await, Err(EgressError::Refused(_))), "{url}");
        }
        assert!(timeout(Duration::from_millis(100), listener.accept()).await.is_err());
    }

    /// As a name server answers that is not to be trusted: first what is good, then what is not (DNS rebinding).
    #[tokio::test]
    async fn a_name_that_means_something_else_a_moment_later_gains_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let at = |address: &str| SocketAddr::new(address.parse().unwrap(), port);
        let egress = egress("127.0.0.1");
        // A name that nobody has: if it were asked for once more, there would be no connection.
        let target = Target { host: Host::Domain("rebound.invalid".to_owned()), port, tls: true };
        for found in [vec![at("127.0.0.1")], vec![at("10.0.0.1"), at("::1"), at("127.0.0.1")]] {
            let stream = egress.reach(&target, found).await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), at("127.0.0.1"));
        }
        for address in ["127.0.0.2", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.2", "64:ff9b::7f00:2"] {
            let error = egress.reach(&target, vec![at(address)]).await.unwrap_err();
            assert!(matches!(error, EgressError::Refused(_)), "{address}: {error}");
        }
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_not_read_to_its_end() {
        let long = "x".repeat(1_001);
        let chunks = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n{}\r\n1\r\nx\r\n0\r\n\r\n", &long[1..]);
        let answers = [
            answer("200 OK", "", &long),
            // Without a length: until the connection ends.
            format!("HTTP/1.1 200 OK\r\n\r\n{long}").into_bytes(),
            chunks.into_bytes(),
            // A length that is not true: nothing of it is believed to be there.
            b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nx".to_vec(),
        ];
        let (address, _) = serve(answers.to_vec()).await;
        for _ in 0..answers.len() {
            let error = egress(LOOPBACK).send(get(&format!("http://{address}/"))).await.unwrap_err();
            assert!(matches!(error, EgressError::TooLarge { limit: 1_000, .. } | EgressError::Http { .. }), "{error}");
        }
        // What is just as large as it may be; and more than the length says is not part of the answer.
        let exact = "x".repeat(1_000);
        let more = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok{long}").into_bytes();
        let (address, _) = serve(vec![answer("200 OK", "", &exact), more]).await;
        let answer = egress(LOOPBACK).send(get(&format!("http://{address}/"))).await.unwrap();
        assert_eq!(answer.body.len(), 1_000);
        let answer = egress(LOOPBACK).send(get(&format!("http://{address}/"))).await.unwrap();
        assert_eq!(answer.body, b"ok");
    }

    #[tokio::test]
    async fn whoever_answers_too_slowly_or_not_in_http_is_left() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            // The head, a byte, and nothing more; then nothing at all.
            let (mut first, _) = listener.accept().await.unwrap();
            hear(&mut first).await;
            first.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx").await.unwrap();
            let (_second, _) = listener.accept().await.unwrap();
            std::future::pending::<()>().await;
        });
        for _ in 0..2 {
            let error = egress(LOOPBACK).send(get(&format!("http://{address}/"))).await.unwrap_err();
            assert!(matches!(error, EgressError::TooSlow { .. }), "{error}");
            assert!(error.to_string().contains("within 800 ms"), "{error}");
        }
        let (address, _) =
            serve(vec![b"SSH-2.0-OpenSSH\r\n\r\n".to_vec(), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort".to_vec()]).await;
        for _ in 0..2 {
            let error = egress(LOOPBACK).send(get(&format!("http://{address}/"))).await.unwrap_err();
            assert!(matches!(error, EgressError::Http { .. }), "{error}");
        }
        // Nobody is there.
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = egress(LOOPBACK).send(get(&format!("http://{free}/"))).await.unwrap_err();
        assert!(matches!(error, EgressError::Connect { .. }), "{error}");
        // Somebody is there who does not speak TLS.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            socket.write_all(b"220 mail.example.com ready\r\n").await.unwrap();
            std::future::pending::<()>().await;
        });
        let error = egress(LOOPBACK).send(get(&format!("https://{address}/"))).await.unwrap_err();
        assert!(matches!(error, EgressError::Handshake { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer() {
        let (elsewhere, not_asked) = serve(vec![answer("200 OK", "", "elsewhere")]).await;
        let (address, _) = serve(vec![answer("302 Found", &format!("Location: http://{elsewhere}/\r\n"), "")]).await;
        let answer = egress(LOOPBACK).send(get(&format!("http://{address}/"))).await.unwrap();
        assert_eq!(answer.status, StatusCode::FOUND);
        assert_eq!(answer.headers[header::LOCATION], format!("http://{elsewhere}/").as_str());
        assert!(not_asked.lock().unwrap().is_empty());
    }
}
