//! Whether a public point is one: on its curve, in its one encoding, and not of small order.
//! Signature engines differ on which of these they look at, and when.

use crypto_bigint::modular::{ConstMontyForm, ConstMontyParams};
use crypto_bigint::{JacobiSymbol, U256, U384, Uint, const_monty_params};

const_monty_params!(
    P256Field,
    U256,
    "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"
);
const_monty_params!(
    P384Field,
    U384,
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff"
);
const_monty_params!(
    Ed25519Field,
    U256,
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed"
);
type Ed25519Element = ConstMontyForm<Ed25519Field, { U256::LIMBS }>;

/// The coefficient b of P-256 (SEC 2, section 2.4.2).
const P256_B: U256 =
    U256::from_be_hex("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b");
/// The coefficient b of P-384 (SEC 2, section 2.5.1).
const P384_B: U384 = U384::from_be_hex(
    "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
);

/// The constant d of edwards25519 (RFC 8032, section 5.1).
const ED25519_D: U256 =
    U256::from_be_hex("52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3");
/// y of two of the four points of order 8; the other two have its negative.
const ED25519_Y_ORDER_8: U256 =
    U256::from_be_hex("7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7");

/// Whether (x, y), big-endian, lies on P-256. The point at infinity has no such form.
pub(crate) fn is_on_p256(x: &[u8; 32], y: &[u8; 32]) -> bool {
    is_on_curve::<P256Field, _>(U256::from_be_slice(x), U256::from_be_slice(y), &P256_B)
}

/// Whether (x, y), big-endian, lies on P-384.
pub(crate) fn is_on_p384(x: &[u8; 48], y: &[u8; 48]) -> bool {
    is_on_curve::<P384Field, _>(U384::from_be_slice(x), U384::from_be_slice(y), &P384_B)
}

/// Whether y² = x³ − 3x + b, with both coordinates reduced.
fn is_on_curve<F: ConstMontyParams<LIMBS>, const LIMBS: usize>(
    x: Uint<LIMBS>,
    y: Uint<LIMBS>,
    b: &Uint<LIMBS>,
) -> bool {
    let p = modulus::<F, LIMBS>();
    if x >= p || y >= p {
        return false;
    }
    let [x, y, b] = [&x, &y, b].map(ConstMontyForm::<F, LIMBS>::new);
    y.square() == x.square() * x - (x + x + x) + b
}

fn modulus<F: ConstMontyParams<LIMBS>, const LIMBS: usize>() -> Uint<LIMBS> {
    *F::PARAMS.modulus().as_ref()
}

/// Whether an encoded Ed25519 point (RFC 8032, section 5.1.2) has its one encoding and is not of
/// small order. Says nothing on whether it lies on the curve.
pub(crate) fn is_strict_ed25519_encoding(encoded: &[u8; 32]) -> bool {
    let y = ed25519_y(encoded);
    let p = modulus::<Ed25519Field, _>();
    let minus = |value: U256| p.wrapping_sub(&value);
    let small_order = [
        U256::ZERO,
        U256::ONE,
        minus(U256::ONE),
        ED25519_Y_ORDER_8,
        minus(ED25519_Y_ORDER_8),
    ];
    y < p && !small_order.contains(&y)
}

/// Whether an encoded Ed25519 point can be a public key: strict, and on the curve.
pub(crate) fn is_ed25519_public_key(encoded: &[u8; 32]) -> bool {
    is_strict_ed25519_encoding(encoded) && has_ed25519_x(ed25519_y(encoded))
}

/// The y coordinate; the top bit, which is the sign of x, is left out.
fn ed25519_y(encoded: &[u8; 32]) -> U256 {
    let mut big_endian = *encoded;
    big_endian.reverse();
    big_endian[0] &= 0x7f;
    U256::from_be_slice(&big_endian)
}

/// Whether x² = (y² − 1) / (d·y² + 1) has a solution: a quotient is a square exactly if the
/// product of its two parts is.
fn has_ed25519_x(y: U256) -> bool {
    let y_squared = Ed25519Element::new(&y).square();
    let numerator = y_squared - Ed25519Element::ONE;
    let denominator = Ed25519Element::new(&ED25519_D) * y_squared + Ed25519Element::ONE;
    (numerator * denominator).jacobi_symbol_vartime() == JacobiSymbol::One
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        let digit = |i: usize| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap();
        std::array::from_fn(digit)
    }

    #[test]
    fn base_points_are_on_their_curves_and_their_neighbours_are_not() {
        let x = bytes("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
        let mut y = bytes("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
        assert!(is_on_p256(&x, &y));
        y[31] ^= 1;
        assert!(!is_on_p256(&x, &y));

        let x = bytes(
            "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
        );
        let mut y = bytes(
            "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
        );
        assert!(is_on_p384(&x, &y));
        y[47] ^= 1;
        assert!(!is_on_p384(&x, &y));
        assert!(!is_on_p256(&[0xff; 32], &[0xff; 32]));
    }

    #[test]
    fn refuses_every_ed25519_point_of_small_order_in_every_encoding() {
        for y in [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ] {
            let mut point = bytes(y);
            assert!(!is_strict_ed25519_encoding(&point), "{y}");
            point[31] |= 0x80;
            assert!(
                !is_strict_ed25519_encoding(&point),
                "{y} with the sign of x set"
            );
        }
    }

    #[test]
    fn knows_the_ed25519_points_from_the_gaps_between_them() {
        // RFC 8032, section 7.1, test 1.
        let key = bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        assert!(is_ed25519_public_key(&key));
        // y = 2 has no x; y = 3 has one.
        assert!(!is_ed25519_public_key(&bytes(&format!(
            "02{}",
            "00".repeat(31)
        ))));
        assert!(is_ed25519_public_key(&bytes(&format!(
            "03{}",
            "00".repeat(31)
        ))));
        // Both points of order 8 are on the curve: only the rule on small order keeps them out.
        assert!(has_ed25519_x(ED25519_Y_ORDER_8));
    }
}
