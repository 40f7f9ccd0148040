//! Whoever receives webhooks, as good or as bad as a test has them: HTTP/1.1 by hand, so that it can go wrong in every way.

use std::{
    collections::{HashSet, VecDeque},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use data_encoding::BASE64;
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, ServerConfig,
        pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    },
};

/// Between the bytes of an answer that trickles: fifty take a second, which is what the tests wait at most for an answer.
const TRICKLE: Duration = Duration::from_millis(20);
/// How many bytes an answer has that is too long for anybody.
const FLOOD: usize = 4 << 20;
/// After so long without anything new, nothing is waited for any more.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// A certificate for localhost that nobody else has signed, and its key, which is worth nothing: DER in base64.
const CERTIFICATE: &str = concat!(
    "MIIBrTCCAVSgAwIBAgIUUsg6UBLttvhiCRFhVv2W56RphuwwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNTIxND",
    "AzMloYDzIxMjYxMTAxMjE0MDMyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR3imbkpOdeiCdo8Jn2",
    "CJGBw0+nQ/k4GgKupbarOV2rKpO/g7S3HciJOP8smvVVI9qvtTkS4JatQh0rO0A2g+9io4GBMH8wHQYDVR0OBBYEFDadnGOhIcn4kD2G0kpefi",
    "SUHQc/MB8GA1UdIwQYMBaAFDadnGOhIcn4kD2G0kpefiSUHQc/MBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAMBgNVHRMBAf8EAjAAMBMG",
    "A1UdJQQMMAoGCCsGAQUFBwMBMAoGCCqGSM49BAMCA0cAMEQCIAk3BIJjODH4T8HDreoh2BMiuow4IxdeciWlQna85wfXAiBWv1jmu0yIjtV5JP",
    "3DB0VoljQKgSJ3v0bpyzgeU9fB6w==",
);
const CERTIFICATE_KEY: &str = concat!(
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/FZ17AfNaFcZyGrFpuDnDUp9SHVtSsAIOmTIBiguyvyhRANCAAR3imbkpOdeiC",
    "do8Jn2CJGBw0+nQ/k4GgKupbarOV2rKpO/g7S3HciJOP8smvVVI9qvtTkS4JatQh0rO0A2g+9i",
);

/// What is done about a request.
#[derive(Debug, Clone)]
pub(crate) enum Does {
    /// Takes it, with a status of success.
    Take(u16),
    /// Takes it, with an answer longer than anybody wants to read.
    Flood,
    /// Answers with a status, and with these header lines.
    Say(u16, String),
    /// Says nothing until the other side has gone.
    Hang,
    /// Answers a byte at a time, and goes on with that.
    Trickle,
    /// Answers with a status of success, and goes in the middle of the body.
    Half,
    /// Goes without an answer.
    Close,
    /// Breaks the connection off, so that the other side is told of an error.
    Reset,
    /// Answers in no language that is known.
    Garbage,
}

/// A request.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    /// `webhook-id`.
    pub(crate) id: String,
    /// `webhook-timestamp`.
    pub(crate) timestamp: i64,
    /// `webhook-signature`, one by one.
    pub(crate) signatures: Vec<String>,
    /// `content-type`.
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
    /// Whether it has been signed just now, by this machine's clock, with a secret that the receiver knows: so says the library.
    pub(crate) verified: bool,
}

impl Received {
    /// The event in it.
    pub(crate) fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether one of the signatures is what the library makes with a secret, whatever the time is.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let signed = Webhook::new(secret).unwrap().sign(&self.id, self.timestamp, &self.body).unwrap();
        self.signatures.contains(&signed)
    }
}

/// Does one after the other, and takes all that comes then.
pub(crate) fn script(does: impl IntoIterator<Item = Does>) -> impl FnMut(&Received) -> Does + Send + 'static {
    let mut does: VecDeque<Does> = does.into_iter().collect();
    move |_| does.pop_front().unwrap_or(Does::Take(200))
}

/// Takes so many, and hangs then.
pub(crate) fn take_and_hang(mut count: usize) -> impl FnMut(&Received) -> Does + Send + 'static {
    move |_| {
        let takes = count > 0;
        count = count.saturating_sub(1);
        if takes { Does::Take(200) } else { Does::Hang }
    }
}

/// Speaks TLS with a certificate that nobody else has signed. Gives the port, and how many were satisfied with that.
pub(crate) async fn serve_self_signed() -> (u16, Arc<AtomicUsize>) {
    let bytes = |text: &str| BASE64.decode(text.as_bytes()).unwrap();
    let key = PrivatePkcs8KeyDer::from(bytes(CERTIFICATE_KEY)).into();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(bytes(CERTIFICATE))], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let satisfied = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&satisfied);
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            // What is wrong the client finds out after it has been greeted: a first byte of a request counts.
            if let Ok(mut stream) = acceptor.accept(socket).await
                && matches!(stream.read(&mut [0]).await, Ok(1..))
            {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    (port, satisfied)
}

/// Decides what is done about each request.
type Mood = Box<dyn FnMut(&Received) -> Does + Send>;

struct Shared {
    mood: Mutex<Mood>,
    secrets: Mutex<Vec<String>>,
    accepted: Mutex<Accepted>,
    /// How many different events were accepted.
    distinct: watch::Sender<usize>,
    /// How many requests came, whatever was done about them.
    asked: watch::Sender<usize>,
    connections: AtomicUsize,
    /// How many requests hang, and how many did at the same time at most.
    hanging: AtomicUsize,
    most_hanging: AtomicUsize,
}

#[derive(Default)]
struct Accepted {
    all: Vec<Arc<Received>>,
    ids: HashSet<String>,
}

/// A receiver.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

impl Receiver {
    /// One that takes everything, until it is told otherwise.
    pub(crate) async fn serve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            mood: Mutex::new(Box::new(|_: &Received| Does::Take(200))),
            secrets: Mutex::default(),
            accepted: Mutex::default(),
            distinct: watch::Sender::new(0),
            asked: watch::Sender::new(0),
            connections: AtomicUsize::new(0),
            hanging: AtomicUsize::new(0),
            most_hanging: AtomicUsize::new(0),
        });
        let own = Arc::clone(&shared);
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                own.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(converse(socket, Arc::clone(&own)));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// The same by name.
    pub(crate) fn named_url(&self) -> String {
        format!("http://localhost:{}/hook", self.address.port())
    }

    /// Says what is done about requests from now on.
    pub(crate) fn does(&self, mood: impl FnMut(&Received) -> Does + Send + 'static) {
        *self.shared.mood.lock().unwrap() = Box::new(mood);
    }

    /// Tells it a secret to verify with, besides those it knows.
    pub(crate) fn knows(&self, secret: &str) {
        self.shared.secrets.lock().unwrap().push(secret.to_owned());
    }

    /// What was accepted, in the order it came in.
    pub(crate) fn accepted(&self) -> Vec<Arc<Received>> {
        self.shared.accepted.lock().unwrap().all.clone()
    }

    /// The ids of what was accepted, in the order it came in.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.accepted().iter().map(|received| received.id.clone()).collect()
    }

    /// How many requests came.
    pub(crate) fn asked(&self) -> usize {
        *self.shared.asked.borrow()
    }

    /// How many connections were opened.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many requests hung at the same time, at most.
    pub(crate) fn most_hanging(&self) -> usize {
        self.shared.most_hanging.load(Ordering::SeqCst)
    }

    /// Waits until so many requests have come.
    pub(crate) async fn until_asked(&self, count: usize) {
        until(self.shared.asked.subscribe(), count, "requests").await;
    }

    /// Waits until so many different events were accepted.
    pub(crate) async fn until_accepted(&self, count: usize) {
        until(self.shared.distinct.subscribe(), count, "events accepted").await;
    }
}

/// Waits until a number is large enough, as long as it grows.
async fn until(mut number: watch::Receiver<usize>, count: usize, of_what: &str) {
    loop {
        let now = *number.borrow_and_update();
        if now >= count {
            return;
        }
        assert!(timeout(STUCK_AFTER, number.changed()).await.is_ok(), "stuck at {now} of {count} {of_what}");
    }
}

/// Sees to all requests of a connection.
async fn converse(mut socket: TcpStream, shared: Arc<Shared>) {
    let mut read = Vec::new();
    while let Some((headers, mut request)) = hear(&mut socket, &mut read).await {
        let secrets = shared.secrets.lock().unwrap().clone();
        request.verified = secrets.iter().any(|secret| Webhook::new(secret).unwrap().verify(&request.body, &headers).is_ok());
        let does = (*shared.mood.lock().unwrap())(&request);
        let hangs = matches!(does, Does::Hang);
        if hangs {
            let hanging = shared.hanging.fetch_add(1, Ordering::SeqCst) + 1;
            shared.most_hanging.fetch_max(hanging, Ordering::SeqCst);
        }
        shared.asked.send_modify(|asked| *asked += 1);
        // Noted before it is said: who is not told any more has sent it all the same, and sends it again.
        if matches!(does, Does::Take(_) | Does::Flood) {
            let mut accepted = shared.accepted.lock().unwrap();
            accepted.ids.insert(request.id.clone());
            accepted.all.push(Arc::new(request));
            shared.distinct.send_replace(accepted.ids.len());
        }
        let goes_on = answer(&mut socket, does).await;
        if hangs {
            shared.hanging.fetch_sub(1, Ordering::SeqCst);
        }
        if !goes_on {
            return;
        }
    }
}

/// Answers, and says whether the connection is good for another request.
async fn answer(socket: &mut TcpStream, does: Does) -> bool {
    // Whoever has given up is not told; what is tested is what they do about that.
    match does {
        Does::Take(204) => socket.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.is_ok(),
        Does::Take(status) => say(socket, status, "").await,
        Does::Say(status, headers) => say(socket, status, &headers).await,
        Does::Flood => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {FLOOD}\r\n\r\n");
            if socket.write_all(head.as_bytes()).await.is_err() {
                return false;
            }
            let piece = [b'x'; 4096];
            for _ in 0..FLOOD / piece.len() {
                if socket.write_all(&piece).await.is_err() {
                    return false;
                }
            }
            true
        }
        Does::Hang => {
            let mut nothing = [0; 64];
            while matches!(socket.read(&mut nothing).await, Ok(1..)) {}
            false
        }
        Does::Trickle => {
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".iter().copied();
            let mut clock = tokio::time::interval(TRICKLE);
            for byte in head.chain(std::iter::repeat_n(b'x', 1_000_000)) {
                clock.tick().await;
                if socket.write_all(&[byte]).await.is_err() {
                    break;
                }
            }
            false
        }
        Does::Half => {
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
            false
        }
        Does::Close => false,
        Does::Reset => {
            socket.set_zero_linger().unwrap();
            false
        }
        Does::Garbage => {
            let _ = socket.write_all(b"\x00\xff\x16 220 this is no HTTP\r\n\r\n").await;
            false
        }
    }
}

async fn say(socket: &mut TcpStream, status: u16, headers: &str) -> bool {
    let answer = format!("HTTP/1.1 {status} So it is\r\n{headers}Content-Length: 2\r\n\r\nok");
    socket.write_all(answer.as_bytes()).await.is_ok()
}

/// The next request of a connection; nothing if the other side has gone, or speaks something else.
async fn hear(socket: &mut TcpStream, read: &mut Vec<u8>) -> Option<(HeaderMap, Received)> {
    let mut buffer = vec![0; 8192];
    loop {
        if let Some(request) = next(read) {
            return Some(request);
        }
        // A method begins with a letter; TLS does not.
        if read.first().is_some_and(|byte| !byte.is_ascii_uppercase()) {
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
            return None;
        }
        match socket.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => read.extend_from_slice(&buffer[..count]),
        }
    }
}

/// Takes the first request out of what was read, if all of it is there.
fn next(read: &mut Vec<u8>) -> Option<(HeaderMap, Received)> {
    let end = read.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&read[..end]).unwrap();
    let mut lines = head.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        headers.append(name.parse::<HeaderName>().unwrap(), value.trim().parse::<HeaderValue>().unwrap());
    }
    let header = |name: &str| headers.get(name).map_or_else(String::new, |value| value.to_str().unwrap().to_owned());
    let length: usize = header("content-length").parse().unwrap();
    if read.len() < end + length {
        return None;
    }
    let received = Received {
        path,
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp").parse().unwrap_or_default(),
        signatures: header("webhook-signature").split(' ').map(str::to_owned).collect(),
        content_type: header("content-type"),
        body: read[end..end + length].to_vec(),
        verified: false,
    };
    read.drain(..end + length);
    Some((headers, received))
}
