//! An animated picture of what is done on the page: a PNG with frames, which browsers show as they show other pictures.
//! <https://www.w3.org/TR/png-3/#apng-frame-based-animation>

use std::fs::{self, File};
use std::io::{BufWriter, Cursor};
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use png::{BitDepth, BlendOp, ColorType, Compression, Decoder, DisposeOp, Encoder};
use serde_json::json;

use super::browser::Browser;
use super::pictures::folder;

/// Bytes of a pixel.
const PIXEL: usize = 3;

/// What was seen, and for how long.
#[derive(Default)]
pub struct Film {
    frames: Vec<Frame>,
}

struct Frame {
    width: usize,
    height: usize,
    /// Red, green and blue of each pixel, line by line.
    pixels: Vec<u8>,
    /// In milliseconds.
    shown_for: u16,
}

/// A part of a frame.
struct Part {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

impl Film {
    /// Takes a picture of what the window shows, to be shown for some milliseconds.
    pub async fn take(&mut self, browser: &Browser, shown_for: u16) {
        let picture = browser.cdp("Page.captureScreenshot", json!({})).await;
        let picture = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        let mut reader = Decoder::new(Cursor::new(picture)).read_info().unwrap();
        let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut buffer).unwrap();
        let has_alpha = info.color_type == ColorType::Rgba;
        assert!(has_alpha || info.color_type == ColorType::Rgb, "{:?}", info.color_type);
        let pixels = if has_alpha {
            buffer.as_chunks::<4>().0.iter().flat_map(|pixel| &pixel[..PIXEL]).copied().collect()
        } else {
            buffer
        };
        let (width, height) = (info.width as usize, info.height as usize);
        self.frames.push(Frame { width, height, pixels, shown_for });
    }

    /// Writes the film; each frame has only the part that differs from the one before.
    pub fn write(&self, name: &str) -> PathBuf {
        let path = folder().join(format!("{name}.png"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let first = &self.frames[0];
        let file = BufWriter::new(File::create(&path).unwrap());
        let mut encoder = Encoder::new(file, size(first.width), size(first.height));
        encoder.set_color(ColorType::Rgb);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::High);
        encoder.set_animated(size(self.frames.len()), 0).unwrap();
        let mut writer = encoder.write_header().unwrap();
        for (index, frame) in self.frames.iter().enumerate() {
            let part = match index.checked_sub(1) {
                Some(before) => frame.difference(&self.frames[before]),
                None => Part { left: 0, top: 0, width: frame.width, height: frame.height },
            };
            writer.set_frame_delay(frame.shown_for, 1000).unwrap();
            // The position goes back to the corner first: with it, a larger part may not fit into the picture.
            writer.reset_frame_position().unwrap();
            writer.set_frame_dimension(size(part.width), size(part.height)).unwrap();
            writer.set_frame_position(size(part.left), size(part.top)).unwrap();
            writer.set_blend_op(BlendOp::Source).unwrap();
            writer.set_dispose_op(DisposeOp::None).unwrap();
            writer.write_image_data(&frame.cut(&part)).unwrap();
        }
        writer.finish().unwrap();
        path
    }
}

impl Frame {
    fn line(&self, y: usize) -> &[u8] {
        &self.pixels[y * self.width * PIXEL..][..self.width * PIXEL]
    }

    /// The smallest part outside of which both are the same; a pixel if they are.
    fn difference(&self, other: &Self) -> Part {
        let (mut left, mut right, mut top, mut bottom) = (self.width, 0, self.height, 0);
        for y in 0..self.height {
            let pixels = self.line(y).chunks(PIXEL).zip(other.line(y).chunks(PIXEL)).enumerate();
            for (x, _) in pixels.filter(|(_, (one, other))| one != other) {
                (left, right) = (left.min(x), right.max(x + 1));
                (top, bottom) = (top.min(y), bottom.max(y + 1));
            }
        }
        if bottom == 0 {
            return Part { left: 0, top: 0, width: 1, height: 1 };
        }
        Part { left, top, width: right - left, height: bottom - top }
    }

    fn cut(&self, part: &Part) -> Vec<u8> {
        let lines = (part.top..part.top + part.height).map(|y| self.line(y));
        lines.flat_map(|line| &line[part.left * PIXEL..][..part.width * PIXEL]).copied().collect()
    }
}

fn size(size: usize) -> u32 {
    u32::try_from(size).unwrap()
}
