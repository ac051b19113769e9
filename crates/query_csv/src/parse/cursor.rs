//! A cursor over JSON, with the subset that answers of `Query` use. Strings are delimited here and decoded only when they are
//! used.
//! <https://www.rfc-editor.org/rfc/rfc8259>

use memchr::memchr2;

/// Why the cursor could not take what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The bytes end too early; more may arrive.
    Incomplete,
    /// The bytes are not JSON, or not that of an answer.
    Malformed,
}

/// A position in bytes that may end anywhere, also within a value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    /// The position: how many bytes are taken.
    pub(crate) at: usize,
}

/// A string as it stands in JSON, without its quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawString<'a> {
    /// The bytes between the quotes.
    pub(crate) bytes: &'a [u8],
    /// Whether they contain escapes, so that they have to be decoded by [`unescape`].
    pub(crate) escaped: bool,
}

impl<'a> Cursor<'a> {
    /// A cursor at the first byte.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The bytes from `start` up to the position.
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.at]
    }

    /// The bytes behind the position.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Skips white space and returns the next byte without taking it.
    pub(crate) fn peek(&mut self) -> Result<u8, Stop> {
        loop {
            match self.bytes.get(self.at) {
                None => return Err(Stop::Incomplete),
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(byte) => return Ok(*byte),
            }
        }
    }

    /// Takes this byte, which must be the next one behind white space.
    pub(crate) fn expect(&mut self, byte: u8) -> Result<(), Stop> {
        if self.peek()? != byte {
            return Err(Stop::Malformed);
        }
        self.at += 1;
        Ok(())
    }

    /// Moves to the next member of an object or element of an array; returns false when `close` ends it instead. `first`
    /// says that none was taken before, so that no comma is expected.
    pub(crate) fn next(&mut self, first: bool, close: u8) -> Result<bool, Stop> {
        let byte = self.peek()?;
        if byte == close {
            self.at += 1;
            return Ok(false);
        }
        if !first {
            self.expect(b',')?;
        }
        Ok(true)
    }

    /// Takes the name of a member and the colon after it.
    pub(crate) fn name(&mut self) -> Result<RawString<'a>, Stop> {
        let name = self.string()?;
        self.expect(b':')?;
        Ok(name)
    }

    /// Takes a name that belongs to the protocol, such as `Items` or `S`, and the colon after it. Escapes in it are
    /// malformed: DynamoDB never writes them there.
    pub(crate) fn plain_name(&mut self) -> Result<&'a [u8], Stop> {
        let name = self.name()?;
        if name.escaped { Err(Stop::Malformed) } else { Ok(name.bytes) }
    }

    /// Takes a string.
    pub(crate) fn string(&mut self) -> Result<RawString<'a>, Stop> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = self.bytes.get(self.at..).ok_or(Stop::Incomplete)?;
            self.at += memchr2(b'"', b'\\', rest).ok_or(Stop::Incomplete)?;
            if self.bytes[self.at] == b'"' {
                let bytes = self.since(start);
                self.at += 1;
                return Ok(RawString { bytes, escaped });
            }
            escaped = true;
            self.at += 2;
        }
    }

    /// Takes a value of any type and nesting.
    pub(crate) fn skip(&mut self) -> Result<(), Stop> {
        let mut depth = 0_u32;
        loop {
            match self.peek()? {
                b'"' => drop(self.string()?),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' | b',' | b':' if depth == 0 => return Err(Stop::Malformed),
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' => self.at += 1,
                _ => self.skip_word()?,
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Takes a number, `true`, `false` or `null`: everything up to the first byte that can be part of none of them.
    fn skip_word(&mut self) -> Result<(), Stop> {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(is_word) {
            self.at += 1;
        }
        match self.bytes.get(self.at) {
            None => Err(Stop::Incomplete),
            Some(_) if self.at == start => Err(Stop::Malformed),
            Some(_) => Ok(()),
        }
    }
}

/// Appends the decoded bytes of a string with escapes. Returns `None` for an escape that JSON does not have.
pub(crate) fn unescape(mut raw: &[u8], to: &mut Vec<u8>) -> Option<()> {
    while let Some(at) = memchr::memchr(b'\\', raw) {
        to.extend_from_slice(&raw[..at]);
        let byte = match *raw.get(at + 1)? {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (character, length) = unicode(&raw[at..])?;
                to.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                raw = &raw[at + length..];
                continue;
            }
            _ => return None,
        };
        to.push(byte);
        raw = &raw[at + 2..];
    }
    to.extend_from_slice(raw);
    Some(())
}

/// The character of an escape such as `\u00e9`, or of a surrogate pair of them, and how many bytes it takes.
fn unicode(raw: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = raw.get(at..at + 6)?.strip_prefix(b"\\u")?;
        let all_hex = digits.iter().all(u8::is_ascii_hexdigit);
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok().filter(|_| all_hex)
    };
    let first = unit(0)?;
    if let Some(character) = char::from_u32(u32::from(first)) {
        return Some((character, 6));
    }
    let mut pair = char::decode_utf16([first, unit(6)?]);
    Some((pair.next()?.ok()?, 12))
}
