//! A seed → a damaged text: bytes, words and stretches changed, exchanged, repeated and left out.

/// One of these texts, damaged with pieces of itself, of the others and of these words: the same for the same seed.
pub fn damaged(seed: u64, corpus: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut rng = Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995);
    let mut text = corpus[rng.below(corpus.len())].clone();
    for _ in 0..1 + rng.below(6) {
        let at = rng.below(text.len() + 1);
        let end = (at + rng.below(24)).min(text.len());
        match rng.below(8) {
            0 if at < text.len() => text[at] = rng.next() as u8,
            1 if at < text.len() => text[at] ^= 1 << rng.below(8),
            2 => drop(text.drain(at..end)),
            3 => {
                let piece = text[at..end].to_vec();
                let to = rng.below(text.len() + 1);
                text.splice(to..to, piece);
            }
            4 | 5 => {
                let word = words[rng.below(words.len())];
                text.splice(at..at, word.bytes());
            }
            6 => {
                let other = &corpus[rng.below(corpus.len())];
                let from = rng.below(other.len());
                let piece = other[from..(from + rng.below(200)).min(other.len())].to_vec();
                text.splice(at..end, piece);
            }
            _ => {
                let word = words[rng.below(words.len())];
                let many = word.repeat(1 + rng.below(200));
                text.splice(at..at, many.bytes());
            }
        }
    }
    text
}

struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        let x = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        x ^ (x >> 29)
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}
