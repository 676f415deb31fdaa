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

    /// Replaces every element by its inverse; none may be 0. One inversion and three products an element.
    pub(super) fn invert_all(self, elements: &mut [u64]) {
        let mut product = self.one;
        let mut before = Vec::with_capacity(elements.len());
        for &x in elements.iter() {
            before.push(product);
            product = self.mul(product, x);
        }
        let mut inverse = self.inverse(product);
        for (x, before) in elements.iter_mut().zip(before).rev() {
            let rest = self.mul(inverse, *x);
            *x = self.mul(inverse, before);
            inverse = rest;
        }
    }

    /// An element whose powers are the `order` different roots of unity; `order` divides p - 1.
    pub(super) fn root_of_unity(self, order: u64) -> u64 {
        let is_primitive = |&root: &u64| {
            let mut power = self.one;
            (1..order).all(|_| {
                power = self.mul(power, root);
                power != self.one
            })
        };
        let mut candidates = (2..self.p).map(|x| self.power(self.element(x), (self.p - 1) / order));
        candidates.find(is_primitive).expect("the group of a prime is cyclic")
    }
}

/// The largest primes below 2⁶², in descending order.
pub(super) fn primes() -> impl Iterator<Item = Prime> {
    primes_with_roots(2)
}

/// The largest primes below 2⁶² of which `order`, an even number, divides p - 1, in descending order.
pub(super) fn primes_with_roots(order: u64) -> impl Iterator<Item = Prime> {
    let largest = ((1 << 62) - 2) / order;
    (0..largest).map(move |k| (largest - k) * order + 1).filter(|&p| is_prime(p)).map(Prime::new)
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
    fn roots_of_unity_and_inverses() {
        for order in [2, 4, 6, 64, 90] {
            let field = primes_with_roots(order).next().unwrap();
            assert!((field.p - 1).is_multiple_of(order) && field.p > 1 << 61);
            let root = field.root_of_unity(order);
            assert_eq!(field.power(root, order), field.one);
            assert_eq!(field.power(root, order / 2), field.neg(field.one));
            let mut powers: Vec<u64> = (0..order).map(|k| field.power(root, k)).collect();
            let mut inverses = powers.clone();
            field.invert_all(&mut inverses);
            assert!(powers.iter().zip(&inverses).all(|(&x, &y)| field.mul(x, y) == field.one));
            powers.sort_unstable();
            powers.dedup();
            assert_eq!(powers.len() as u64, order);
        }
        primes().next().unwrap().invert_all(&mut []);
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
