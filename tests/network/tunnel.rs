//! A proxy on the loopback interface, which makes tunnels as the test says, and notes what it was asked for.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a proxy does with a request for a tunnel.
#[derive(Clone, Copy, Debug)]
pub enum Does {
    /// Leads every tunnel to this server, whatever was asked for.
    Lead(SocketAddr),
    /// Answers with this status.
    Say(u16),
}

pub struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = heads.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let seen = seen.clone();
                thread::spawn(move || serve(stream, does, &seen));
            }
        });
        Self { address, heads }
    }

    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// The heads of all requests until now.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// What tunnels were asked for.
    pub fn targets(&self) -> Vec<String> {
        self.heads().iter().map(|head| head.lines().next().unwrap_or_default().to_owned()).collect()
    }
}

fn serve(stream: TcpStream, does: Does, seen: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    seen.lock().unwrap().push(head);
    let mut client = stream;
    match does {
        Does::Say(status) => {
            client.write_all(format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n").as_bytes())
        }
        Does::Lead(server) => {
            let mut server = TcpStream::connect(server)?;
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            let (mut back, mut forth) = (server.try_clone()?, client.try_clone()?);
            thread::spawn(move || {
                let _ = io::copy(&mut back, &mut forth);
                let _ = forth.shutdown(std::net::Shutdown::Both);
            });
            io::copy(&mut reader, &mut server)?;
            server.shutdown(std::net::Shutdown::Write)
        }
    }
}

/// The address of a server on loopback.
pub fn address(url: &str) -> SocketAddr {
    url.split("://").nth(1).unwrap().parse().unwrap()
}
