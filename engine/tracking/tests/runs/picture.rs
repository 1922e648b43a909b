//! Pictures as a browser writes them: PNG (W3C, third edition) of 8 bits a channel, not interlaced.

use std::io::Read;

/// Points of a square's side.
pub(crate) const SIDE: usize = 8;
/// How much a square differs in a channel before it counts.
const DIFFERENT: i64 = 24;

/// A picture's points, in lines from the top.
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) lines: Vec<Vec<[u8; 3]>>,
}

impl Picture {
    pub(crate) fn read(png: &[u8]) -> Self {
        let mut rest = png.strip_prefix(b"\x89PNG\r\n\x1a\n").unwrap();
        let (mut header, mut packed) = (Vec::new(), Vec::new());
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let (kind, after) = after.split_at(4);
            let (data, after) = after.split_at(u32::from_be_bytes(*length) as usize);
            match kind {
                b"IHDR" => header = data.to_vec(),
                b"IDAT" => packed.extend_from_slice(data),
                _ => {}
            }
            rest = &after[4..];
        }
        let width = u32::from_be_bytes(*header.first_chunk().unwrap()) as usize;
        // Depth, colour (2: without, 6: with alpha), compression, filter, interlacing.
        let channels = match header[8..] {
            [8, 2, 0, 0, 0] => 3,
            [8, 6, 0, 0, 0] => 4,
            _ => panic!("a picture of another kind: {header:?}"),
        };
        let mut bytes = Vec::new();
        flate2::read::ZlibDecoder::new(packed.as_slice()).read_to_end(&mut bytes).unwrap();
        let mut above = vec![0; width * channels];
        let lines = bytes.chunks_exact(1 + width * channels).map(|line| {
            above = unfiltered(line[0], &line[1..], &above, channels);
            above.chunks_exact(channels).map(|point| [point[0], point[1], point[2]]).collect()
        });
        Self { width, lines: lines.collect() }
    }

    pub(crate) fn count(&self, colour: [u8; 3]) -> usize {
        self.lines.iter().flatten().filter(|point| **point == colour).count()
    }

    /// Of the squares of an area that have a colour in either picture, the part whose mean colour differs.
    /// Letters are grey, so they do not count. An area is left, top, width and height, in squares.
    pub(crate) fn differs(&self, other: &Self, [left, top, width, height]: [usize; 4]) -> f64 {
        assert_eq!((self.width, self.lines.len()), (other.width, other.lines.len()));
        let squares =
            (top..top + height).flat_map(|row| (left..left + width).map(move |at| (at, row)));
        let pairs: Vec<_> = squares
            .map(|(at, row)| [self, other].map(|picture| picture.mean(at * SIDE, row * SIDE)))
            .filter(|pair| pair.iter().any(is_coloured))
            .collect();
        let differ = pairs.iter().filter(|[one, two]| {
            one.iter().zip(two).any(|(one, two)| (one - two).abs() > DIFFERENT)
        });
        differ.count() as f64 / pairs.len().max(1) as f64
    }

    fn mean(&self, left: usize, top: usize) -> [i64; 3] {
        let points = self.lines[top..top + SIDE].iter().flat_map(|line| &line[left..left + SIDE]);
        let sum = points.fold([0; 3], |mut sum, point| {
            sum.iter_mut().zip(point).for_each(|(sum, value)| *sum += i64::from(*value));
            sum
        });
        sum.map(|sum| sum / (SIDE * SIDE) as i64)
    }
}

fn is_coloured(mean: &[i64; 3]) -> bool {
    let (least, most) = (mean.iter().min(), mean.iter().max());
    most.zip(least).is_some_and(|(most, least)| most - least > DIFFERENT)
}

/// A line of bytes without its filter (section 9.2).
fn unfiltered(filter: u8, line: &[u8], above: &[u8], channels: usize) -> Vec<u8> {
    let mut plain: Vec<u8> = Vec::with_capacity(line.len());
    for (at, byte) in line.iter().enumerate() {
        let before = |bytes: &[u8]| at.checked_sub(channels).map_or(0, |at| bytes[at]);
        let (left, up, corner) = (before(&plain), above[at], before(above));
        let predicted = match filter {
            0 => 0,
            1 => left,
            2 => up,
            3 => u16::midpoint(left.into(), up.into()) as u8,
            4 => paeth(left, up, corner),
            _ => panic!("no such filter: {filter}"),
        };
        plain.push(byte.wrapping_add(predicted));
    }
    plain
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let near =
        |one: u8| (i16::from(left) + i16::from(up) - i16::from(corner) - i16::from(one)).abs();
    if near(left) <= near(up) && near(left) <= near(corner) {
        left
    } else if near(up) <= near(corner) {
        up
    } else {
        corner
    }
}
