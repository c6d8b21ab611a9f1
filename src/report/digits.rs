//! Decimal digits of numbers below 1000, three at a time; those of an octet of an address.

/// `000` to `999`, the first digit in the lowest octet, and how many there are without zeros at their end in the highest.
pub(super) static PADDED: [u32; 1000] = {
    let mut table = [0; 1000];
    let mut number = 0;
    while number < 1000 {
        let significant = (number > 0) as u8 + (number % 100 > 0) as u8 + (number % 10 > 0) as u8;
        let digits = [b'0' + (number / 100) as u8, b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8, significant];
        table[number] = u32::from_le_bytes(digits);
        number += 1;
    }
    table
};

/// `0` to `999` without zeros before them, the first digit in the lowest octet, and how many there are in the highest.
pub(super) static SHORT: [u32; 1000] = {
    let mut table = [0; 1000];
    let mut number = 0;
    while number < 1000 {
        let len = 1 + (number >= 10) as u32 + (number >= 100) as u32;
        table[number] = (PADDED[number] & 0xff_ffff) >> (8 * (3 - len)) | len << 24;
        number += 1;
    }
    table
};

/// `0.` to `255.`, the first digit in the lowest octet, and how many octets these are from bit 32 on.
pub(super) static DOTTED: [u64; 256] = {
    let mut table = [0; 256];
    let mut number = 0;
    while number < 256 {
        let len = SHORT[number] as u64 >> 24;
        table[number] = SHORT[number] as u64 & 0xff_ffff | (b'.' as u64) << (8 * len) | (len + 1) << 32;
        number += 1;
    }
    table
};
