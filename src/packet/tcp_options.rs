//! The options of a TCP header (RFC 9293 §3.2), one by one.

use etherparse::{TcpOptionElement, TcpOptionsIterator};

/// An option: what it says, where that is known, and its octets.
pub(crate) type TcpOption<'a> = (Option<TcpOptionElement>, &'a [u8]);

/// All options up to the end of the list, or to one that does not end within the header.
pub(crate) fn tcp_options(mut rest: &[u8]) -> impl Iterator<Item = TcpOption<'_>> {
    std::iter::from_fn(move || {
        let mut options = TcpOptionsIterator::from_slice(rest);
        let (element, len) = match options.next()? {
            Ok(element) => (Some(element), rest.len() - options.rest().len()),
            Err(_) => (None, usize::from(*rest.get(1)?)),
        };
        let (octets, behind) = rest.split_at_checked(len).filter(|(octets, _)| !octets.is_empty())?;
        rest = behind;
        Some((element, octets))
    })
}
