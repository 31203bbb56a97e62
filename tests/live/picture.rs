//! Pictures of one colour: written for a model to see, and read by a server that is to name it.

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use std::io::{Read, Write};

/// Pixels a side. Services refuse pictures of a few pixels.
const SIDE: u32 = 64;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A PNG of one colour: eight bits a channel, rows without a filter (<https://www.w3.org/TR/png-3/>).
pub fn png(colour: [u8; 3]) -> Vec<u8> {
    let mut header = [SIDE.to_be_bytes(), SIDE.to_be_bytes()].concat();
    header.extend([8, 2, 0, 0, 0]);
    let mut row = vec![0];
    row.extend(colour.repeat(SIDE as usize));
    let mut rows = ZlibEncoder::new(Vec::new(), Compression::default());
    rows.write_all(&row.repeat(SIDE as usize)).unwrap();
    let mut png = SIGNATURE.to_vec();
    for (name, data) in [(b"IHDR", header), (b"IDAT", rows.finish().unwrap()), (b"IEND", Vec::new())] {
        png.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        let body = [name.as_slice(), &data].concat();
        png.extend(&body);
        png.extend(crc32fast::hash(&body).to_be_bytes());
    }
    png
}

/// The colour of the first pixel of such a picture.
pub fn colour(png: &[u8]) -> Option<[u8; 3]> {
    let mut chunks = png.strip_prefix(SIGNATURE)?;
    while let Some((length, rest)) = chunks.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let body = rest.get(..length + 4)?;
        if let Some(data) = body.strip_prefix(b"IDAT") {
            let mut first = [0; 4];
            ZlibDecoder::new(data).read_exact(&mut first).ok()?;
            return Some([first[1], first[2], first[3]]);
        }
        chunks = rest.get(length + 8..)?;
    }
    None
}
