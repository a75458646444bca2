//! Where a request wants to go: the path as rules see it, and as the upstream gets it.
//!
//! Rules are matched with the decoded path. A path that two readers could decode into two resources
//! (`%2F`, `%3F`, `..;`, `//`) is refused before any rule is looked at: the rule would be chosen for one of
//! them, and the upstream would serve the other.

/// Where a request wants to go, read from its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestTarget<'u> {
    /// Path and query as they came, for the upstream.
    pub path_and_query: &'u str,
    /// Without the `?`.
    pub query: Option<&'u str>,
    /// The decoded path, for matching.
    pub path: String,
}

/// The path has more than one reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The path can be read in more than one way")]
pub struct AmbiguousPath;

impl<'u> RequestTarget<'u> {
    /// `url` is absolute and serialised by the URL standard, as `Request.url` is.
    pub fn parse(url: &'u str) -> Result<Self, AmbiguousPath> {
        let after_scheme = url.find("://").map_or(0, |at| at + 3);
        let authority_and_rest = &url[after_scheme..];
        let path_and_query = match authority_and_rest.find(['/', '?', '#']) {
            Some(at) if authority_and_rest[at..].starts_with('/') => &authority_and_rest[at..],
            _ => "/",
        };
        let path_and_query = path_and_query.split('#').next().unwrap_or("/");
        let (raw_path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path_and_query, None),
        };
        Ok(Self {
            path_and_query,
            query,
            path: decode_path(raw_path)?,
        })
    }
}

fn decode_path(raw: &str) -> Result<String, AmbiguousPath> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let literal = match byte {
            b'%' => match decode_escape(bytes.next(), bytes.next())? {
                // Decoded once too often, a path ends at `?` or `#`: `/admin%3Fx` is `/admin` there.
                b'/' | b'\\' | b'%' | b';' | b'?' | b'#' | 0..=0x1f | 0x7f => {
                    return Err(AmbiguousPath);
                }
                escaped => escaped,
            },
            // Servers that know path parameters drop them, so `/a;x/b` is `/a/b` there.
            b'\\' | b';' => return Err(AmbiguousPath),
            other => other,
        };
        decoded.push(literal);
    }
    let path = String::from_utf8(decoded).map_err(|_| AmbiguousPath)?;
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_empty_inside = segment.is_empty() && segments.peek().is_some();
        if is_empty_inside || segment == "." || segment == ".." {
            return Err(AmbiguousPath);
        }
    }
    Ok(path)
}

fn decode_escape(high: Option<u8>, low: Option<u8>) -> Result<u8, AmbiguousPath> {
    let nibble = |digit: Option<u8>| {
        digit
            .and_then(|d| char::from(d).to_digit(16))
            .ok_or(AmbiguousPath)
    };
    let value = nibble(high)? * 16 + nibble(low)?;
    u8::try_from(value).map_err(|_| AmbiguousPath)
}
