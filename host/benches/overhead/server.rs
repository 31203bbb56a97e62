//! The upstream: streams of chat completions, as many and as dense as the model's name says (`n10000-b16`).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// The server, in a process of its own.
pub struct Server {
    pub url: String,
    child: Child,
    lines: std::sync::Mutex<BufReader<std::process::ChildStdout>>,
}

impl Server {
    pub fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("--serve")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut url = String::new();
        lines.read_line(&mut url).unwrap();
        Self { url: url.trim().to_owned(), child, lines: lines.into() }
    }

    /// When the server saw the connection of a held call close.
    pub fn closed(&self) -> SystemTime {
        let mut line = String::new();
        self.lines.lock().unwrap().read_line(&mut line).unwrap();
        SystemTime::UNIX_EPOCH + Duration::from_nanos(line.trim().parse().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    for stream in listener.incoming() {
        let stream = stream.unwrap();
        std::thread::Builder::new().stack_size(64 << 10).spawn(move || connection(stream)).unwrap();
    }
}

fn connection(mut stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let request: serde_json::Value = serde_json::from_slice(&body).ok()?;
        answer(&mut stream, request["model"].as_str()?)?;
    }
}

/// `n<events>-b<events a write>`, `hold` (one event, then silence) or `silent` (nothing at all).
fn answer(stream: &mut TcpStream, model: &str) -> Option<()> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    if model == "silent" || model == "hold" {
        if model == "hold" {
            stream.write_all(head.as_bytes()).ok()?;
            stream.write_all(&chunk(&event("x"))).ok()?;
        }
        let _ = stream.read(&mut [0; 1]);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        println!("{}", now.as_nanos());
        return None;
    }
    let mut numbers = model.split(['n', '-', 'b']).filter_map(|text| text.parse::<usize>().ok());
    let (events, at_once) = (numbers.next()?, numbers.next().unwrap_or(1));
    stream.write_all(head.as_bytes()).ok()?;
    let one = event("word ");
    for _ in 0..events / at_once {
        stream.write_all(&chunk(&one.repeat(at_once))).ok()?;
        if events > 1 {
            pause(Duration::from_micros(if at_once > 1 { 400 } else { 100 }));
        }
    }
    let end = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let mut last = chunk(end);
    last.extend_from_slice(b"0\r\n\r\n");
    stream.write_all(&last).ok()
}

/// Long enough for the client to read what was sent before more comes. A sleep would be ten times as long.
fn pause(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::thread::yield_now();
    }
}

fn event(text: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"bench\",\
         \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
    )
}

fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}
