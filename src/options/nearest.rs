//! The name that was probably meant.

/// No name is that long, nor a misspelt one.
const LONGEST: usize = 256;

/// The name most like one that is not known; `None` where all are so far away that they are other words. Of several, the first in
/// alphabetical order.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if wanted.len() > LONGEST {
        return None;
    }
    let (distance, nearest) = names.map(|name| (distance(wanted, name), name)).min()?;
    (distance <= 2 + nearest.len() / 4).then_some(nearest)
}

/// Letters to insert, remove or replace until one word is the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_name_is_found_unless_it_is_another_word() {
        let names = || ["http_head", "held_bytes"].into_iter();
        assert_eq!(nearest("htp_head", names()), Some("http_head"));
        assert_eq!(nearest("colour", names()), None);
        assert_eq!(nearest(&"http_head".repeat(100), ["http_head".repeat(100).as_str()].into_iter()), None);
        assert_eq!([("", ""), ("kitten", "sitting"), ("abc", "abc")].map(|(a, b)| distance(a, b)), [0, 3, 0]);
    }
}
