//! Arithmetic modulo primes below 2⁶².

/// A prime with what Montgomery's reduction needs. Elements are held multiplied by 2⁶⁴.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prime {
    pub p: u64,
    /// -1/p modulo 2⁶⁴.
    minus_inverse: u64,
    /// 2¹²⁸ modulo p.
    square: u64,
    /// The element 1.
    pub one: u64,
}

impl Prime {
    pub(super) fn new(p: u64) -> Self {
        // Newton's method doubles the bits of the inverse.
        let mut inverse = p;
        for _ in 0..6 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(p.wrapping_mul(inverse)));
        }
        let one = ((1u128 << 64) % u128::from(p)) as u64;
        let square = (u128::from(one) * u128::from(one) % u128::from(p)) as u64;
        Self { p, minus_inverse: inverse.wrapping_neg(), square, one }
    }

    /// `x / 2⁶⁴` for x below 2¹²⁶.
    #[inline]
    fn reduce(self, x: u128) -> u64 {
        let m = (x as u64).wrapping_mul(self.minus_inverse);
        self.below(((x + u128::from(m) * u128::from(self.p)) >> 64) as u64)
    }

    #[inline]
    fn below(self, x: u64) -> u64 {
        if x >= self.p { x - self.p } else { x }
    }

    #[inline]
    pub(super) fn element(self, x: u64) -> u64 {
        self.mul(x % self.p, self.square)
    }

    #[inline]
    pub(super) fn integer(self, x: u64) -> u64 {
        self.reduce(u128::from(x))
    }

    #[inline]
    pub(super) fn add(self, x: u64, y: u64) -> u64 {
        self.below(x + y)
    }

    #[inline]
    pub(super) fn neg(self, x: u64) -> u64 {
        if x == 0 { 0 } else { self.p - x }
    }

    #[inline]
    pub(super) fn sub(self, x: u64, y: u64) -> u64 {
        self.add(x, self.neg(y))
    }

    #[inline]
    pub(super) fn mul(self, x: u64, y: u64) -> u64 {
        self.reduce(u128::from(x) * u128::from(y))
    }

    /// `a b + c d` with one reduction.
    #[inline]
    pub(super) fn mul_pair(self, a: u64, b: u64, c: u64, d: u64) -> u64 {
        self.reduce(u128::from(a) * u128::from(b) + u128::from(c) * u128::from(d))
    }

    pub(super) fn power(self, mut x: u64, mut k: u64) -> u64 {
        let mut y = self.one;
        while k > 0 {
            if k & 1 == 1 {
                y = self.mul(y, x);
            }
            x = self.mul(x, x);
            k >>= 1;
        }
        y
    }

    /// `1 / x` for x other than 0, by Fermat's theorem.
    pub(super) fn inverse(self, x: u64) -> u64 {
        self.power(x, self.p - 2)
    }
}

/// The largest primes below 2⁶², in descending order.
pub(super) fn primes() -> impl Iterator<Item = Prime> {
    (0..1u64 << 61).map(|k| (1 << 62) - 1 - 2 * k).filter(|&p| is_prime(p)).map(Prime::new)
}

/// Miller and Rabin's test of odd numbers; with these bases it is a proof below 2⁶⁴.
fn is_prime(n: u64) -> bool {
    const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if BASES.iter().any(|b| n.is_multiple_of(*b)) {
        return BASES.contains(&n);
    }
    let field = Prime::new(n);
    let twos = (n - 1).trailing_zeros();
    BASES.iter().all(|&base| {
        let mut x = field.power(field.element(base), (n - 1) >> twos);
        if x == field.one || x == field.p - field.one {
            return true;
        }
        (1..twos).any(|_| {
            x = field.mul(x, x);
            x == field.p - field.one
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_are_the_known_ones() {
        // 2⁶² - 57, - 87, - 117, - 143 and - 153.
        let below: Vec<u64> = primes().take(5).map(|q| (1 << 62) - q.p).collect();
        assert_eq!(below, [57, 87, 117, 143, 153]);
        let small: Vec<u64> = (3..60).step_by(2).filter(|&n| is_prime(n)).collect();
        assert_eq!(small, [3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59]);
        assert!(!is_prime(3_215_031_751) && is_prime((1 << 61) - 1));
    }

    #[test]
    fn arithmetic_agrees_with_wide_integers() {
        let field = primes().next().unwrap();
        let p = u128::from(field.p);
        let mut x = 1u64;
        for _ in 0..1000 {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (a, b) = (x % field.p, x.rotate_left(31) % field.p);
            let (m, n) = (field.element(a), field.element(b));
            assert_eq!(u128::from(field.integer(field.mul(m, n))), u128::from(a) * u128::from(b) % p);
            assert_eq!(u128::from(field.integer(field.add(m, n))), (u128::from(a) + u128::from(b)) % p);
            assert_eq!(u128::from(field.integer(field.sub(m, n))), (p + u128::from(a) - u128::from(b)) % p);
            let twice = u128::from(a) * u128::from(b) % p * 2 % p;
            assert_eq!(u128::from(field.integer(field.mul_pair(m, n, n, m))), twice);
            assert_eq!(field.mul(m, field.inverse(m)), field.one);
        }
    }
}
