//! Deep belief nets: restricted machines on top of each other.

use linalg_core::Streams;
use linalg_core::logspace::softplus;
use linalg_core::rand::Rng;

use super::{Activation, Network};
use crate::error::check_length;
use crate::train::{Trainer, TrainingParams};
use crate::units::Bernoulli;
use crate::{BitRows, Error, PackedRbm, Rbm, Result};

/// Parameters of [`DeepBeliefNet::pretrain`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BeliefTraining {
    /// Sizes of the hidden layers, from the data upwards; default 500 and 500.
    pub hidden: Vec<usize>,
    /// How each machine is trained; layer k has the seed of these parameters plus k.
    pub machine: TrainingParams,
    /// Standard deviation of the first weights; default 0.01.
    pub initial: f64,
}

impl Default for BeliefTraining {
    fn default() -> Self {
        Self { hidden: vec![500, 500], machine: TrainingParams::default(), initial: 0.01 }
    }
}

impl BeliefTraining {
    /// Sets the sizes of the hidden layers.
    pub fn hidden(mut self, sizes: Vec<usize>) -> Self {
        self.hidden = sizes;
        self
    }
    /// Sets how each machine is trained.
    pub fn machine(mut self, params: TrainingParams) -> Self {
        self.machine = params;
        self
    }
    /// Sets the standard deviation of the first weights.
    pub fn initial(mut self, std_dev: f64) -> Self {
        self.initial = std_dev;
        self
    }
}

/// A generative model of several layers of 0/1 units: the two on top are a restricted machine, those below it are drawn
/// downwards one after another,
///
/// ```math
/// P(v, h^1, \dots, h^L) = P(v | h^1) \cdots P(h^{L-2} | h^{L-1}) \; \frac{1}{Z} e^{-E_L(h^{L-1}, h^L)} .
/// ```
///
/// Each $`P(h^{k-1} | h^k)`$ is that of its machine; the recognition pass goes up by $`Q(h^k | h^{k-1})`$ of the same machines.
/// Greedy training learns machine k on samples of layer k - 1: each new layer raises a bound of the likelihood when it begins as
/// the turned machine below. G. E. Hinton, S. Osindero and Y.-W. Teh, Neural Comput. 18, 1527 (2006).
///
/// ```
/// use boltzmann::deep::DeepBeliefNet;
/// use boltzmann::units::Bernoulli;
/// use boltzmann::Rbm;
///
/// let layer = |weight: f64| Rbm::new(Bernoulli, Bernoulli, vec![weight], vec![0.0], vec![-1.0]);
/// let net = DeepBeliefNet::new(vec![layer(1.0)?, layer(3.0)?])?;
/// // Upwards: σ(1 - 1) = 1/2, then σ(3/2 - 1).
/// let top = net.recognise(&[1.0]);
/// assert!((top[0] - 1.0 / (1.0 + (-0.5f64).exp())).abs() < 1e-15);
/// # Ok::<(), boltzmann::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DeepBeliefNet {
    machines: Vec<Rbm<Bernoulli, Bernoulli>>,
}

impl DeepBeliefNet {
    /// A net of these machines, the one of the data first.
    ///
    /// # Errors
    /// [`Error::Empty`] for no machine, [`Error::WrongLength`] where the hidden units of one are not as many as the visible ones of
    /// the next.
    pub fn new(machines: Vec<Rbm<Bernoulli, Bernoulli>>) -> Result<Self> {
        if machines.is_empty() {
            return Err(Error::Empty { what: "list of machines" });
        }
        for pair in machines.windows(2) {
            check_length("visible units of the next machine", pair[1].n_visible(), pair[0].n_hidden())?;
        }
        Ok(Self { machines })
    }

    /// Greedy training: each machine learns one sample a row of the layer below it.
    ///
    /// `report` hears the number of the layer and its machine when that is trained.
    ///
    /// # Errors
    /// [`Error::Empty`] without a hidden layer, and as [`Trainer::new`] and [`Trainer::run`].
    pub fn pretrain(
        data: &BitRows,
        params: &BeliefTraining,
        streams: Streams,
        mut report: impl FnMut(usize, &PackedRbm),
    ) -> Result<Self> {
        let mut machines = Vec::new();
        let mut rows = data.clone();
        for (k, &n_hidden) in params.hidden.iter().enumerate() {
            let layer = streams.child(k as u64);
            let start = PackedRbm::for_data(&rows, n_hidden, params.initial, &mut layer.stream(0))?;
            let machine = params.machine.clone().seed(params.machine.seed.wrapping_add(k as u64));
            let threads = machine.threads;
            let mut trainer = Trainer::new(&rows, start, machine)?;
            trainer.run(&mut ())?;
            let machine = trainer.into_machine();
            report(k, &machine);
            machines.push(machine.to_rbm()?);
            if k + 1 < params.hidden.len() {
                rows = machine.sample_hidden(&rows, layer.child(1), threads);
            }
        }
        Self::new(machines)
    }

    /// Greedy training on means: rows of probabilities, such as grey pixels, from which the bits of each epoch are drawn anew, and for
    /// each next machine the means of the layer below. Returns the net and the means of its top layer, a row for each row of data.
    ///
    /// `draws` passes of bits are held at a time: the machine goes through them `epochs / draws` times, rounded up. Codes restore rows
    /// better from machines that have learned means (Hinton and Salakhutdinov, Science 313, 504 (2006)); [`pretrain`](Self::pretrain)
    /// learns the law of one sample a row.
    ///
    /// ```
    /// use boltzmann::deep::{BeliefTraining, DeepBeliefNet};
    /// use boltzmann::train::TrainingParams;
    /// use linalg_core::Streams;
    ///
    /// // The halves of a row are light and dark, or dark and light.
    /// let rows = [0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.9, 0.9].repeat(50);
    /// let machine = TrainingParams::default().epochs(100).batch(20).learning_rate(0.2);
    /// let params = BeliefTraining::default().hidden(vec![4, 2]).machine(machine).initial(0.1);
    /// let (net, top) = DeepBeliefNet::pretrain_on_means(&rows, 4, &params, 10, Streams::new(1), |_, _| {})?;
    /// assert_eq!((net.machines().len(), top.len()), (2, 100 * 2));
    /// // A pass down through the means restores which half is light.
    /// let top: Vec<f64> = top[..2].iter().map(|&x| f64::from(x)).collect();
    /// let (mut middle, mut v) = (vec![0.0; 4], vec![0.0; 4]);
    /// net.machines()[1].visible_mean(&top, 1.0, &mut middle);
    /// net.machines()[0].visible_mean(&middle, 1.0, &mut v);
    /// assert!(v[0] + v[1] > v[2] + v[3]);
    /// # Ok::<(), boltzmann::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`BitRows::draw`] and [`pretrain`](Self::pretrain).
    pub fn pretrain_on_means(
        data: &[f32],
        n_visible: usize,
        params: &BeliefTraining,
        draws: usize,
        streams: Streams,
        mut report: impl FnMut(usize, &PackedRbm),
    ) -> Result<(Self, Vec<f32>)> {
        let (mut machines, mut means, mut width) = (Vec::new(), data.to_vec(), n_visible);
        for (k, &n_hidden) in params.hidden.iter().enumerate() {
            let layer = streams.child(k as u64);
            let rows = BitRows::draw(&means, width, draws, layer.child(1))?;
            let start = PackedRbm::for_data(&rows, n_hidden, params.initial, &mut layer.stream(0))?;
            let machine = params.machine.clone().seed(params.machine.seed.wrapping_add(k as u64));
            let machine = machine.epochs(params.machine.epochs.div_ceil(draws as u64));
            let threads = machine.threads;
            let mut trainer = Trainer::new(&rows, start, machine)?;
            trainer.run(&mut ())?;
            report(k, trainer.machine());
            let machine = trainer.machine().to_rbm()?;
            let parameters = machine.weights().iter().chain(machine.hidden_bias()).map(|&x| x as f32).collect();
            means =
                Network::new(vec![width, n_hidden], vec![Activation::Logistic], parameters)?.forward(&means, threads);
            machines.push(machine);
            width = n_hidden;
        }
        Ok((Self::new(machines)?, means))
    }

    /// The machines, the one of the data first.
    pub fn machines(&self) -> &[Rbm<Bernoulli, Bernoulli>] {
        &self.machines
    }

    fn top(&self) -> &Rbm<Bernoulli, Bernoulli> {
        &self.machines[self.machines.len() - 1]
    }

    /// Means of the top layer by a pass upwards that hands on means.
    ///
    /// # Panics
    /// If `v` has the wrong length.
    pub fn recognise(&self, v: &[f64]) -> Vec<f64> {
        self.machines.iter().fold(v.to_vec(), |below, machine| {
            let mut above = vec![0.0; machine.n_hidden()];
            machine.hidden_mean(&below, 1.0, &mut above);
            above
        })
    }

    /// A sample of the layer below the top by a pass upwards, each layer drawn given the one below; the data for one machine.
    ///
    /// # Panics
    /// If `v` has the wrong length.
    pub fn recognise_sample<R: Rng + ?Sized>(&self, v: &[f64], rng: &mut R) -> Vec<f64> {
        self.machines[..self.machines.len() - 1].iter().fold(v.to_vec(), |below, machine| {
            let mut above = vec![0.0; machine.n_hidden()];
            machine.sample_hidden(&below, 1.0, &mut above, rng);
            above
        })
    }

    /// Goes on with a chain of the machine on top by so many sweeps, then draws the layers downwards; returns visible means, for a net of
    /// one machine the bits of the chain.
    ///
    /// `chain` holds the layer below the top; a fair sample needs a long chain.
    ///
    /// # Panics
    /// If `chain` has the wrong length.
    pub fn sample<R: Rng + ?Sized>(&self, chain: &mut [f64], sweeps: u64, rng: &mut R) -> Vec<f64> {
        let top = self.top();
        let mut h = vec![0.0; top.n_hidden()];
        (0..sweeps).for_each(|_| top.gibbs_sweep(chain, &mut h, 1.0, rng));
        let mut above = chain.to_vec();
        for (k, machine) in self.machines[..self.machines.len() - 1].iter().enumerate().rev() {
            let mut below = vec![0.0; machine.n_visible()];
            if k == 0 {
                machine.visible_mean(&above, 1.0, &mut below);
            } else {
                machine.sample_visible(&above, 1.0, &mut below, rng);
            }
            above = below;
        }
        above
    }

    /// A lower bound of `ln P(v)`, up to the noise of one pass upwards: the mean over many is at most `ln P(v)`.
    ///
    /// With $`h^k`$ drawn from the recognition pass,
    ///
    /// ```math
    /// \sum_k \left[ \ln P(h^{k-1} | h^k) - \ln Q(h^k | h^{k-1}) \right] - F_L(h^{L-1}) - \ln Z_L .
    /// ```
    ///
    /// `ln_z` is that of the machine on top. For a single machine this is `ln P(v)` itself.
    ///
    /// # Panics
    /// If `v` has the wrong length.
    pub fn bound<R: Rng + ?Sized>(&self, v: &[f64], ln_z: f64, rng: &mut R) -> f64 {
        let mut below = v.to_vec();
        let mut sum = 0.0;
        for machine in &self.machines[..self.machines.len() - 1] {
            let mut fields = vec![0.0; machine.n_hidden()];
            machine.hidden_fields(&below, &mut fields);
            let mut above = vec![0.0; machine.n_hidden()];
            machine.sample_hidden(&below, 1.0, &mut above, rng);
            sum -= ln_bernoulli(&fields, &above);
            let mut fields = vec![0.0; machine.n_visible()];
            machine.visible_fields(&above, &mut fields);
            sum += ln_bernoulli(&fields, &below);
            below = above;
        }
        sum - self.top().free_energy(&below, 1.0) - ln_z
    }
}

/// The log-probability of bits in these fields.
fn ln_bernoulli(fields: &[f64], bits: &[f64]) -> f64 {
    fields.iter().zip(bits).map(|(f, x)| f * x - softplus(*f)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::exact_ln_z;
    use crate::train::Schedule;
    use linalg_core::logspace::log_sum_exp;
    use linalg_core::stats::Running;

    fn bits(state: usize, n: usize) -> Vec<f64> {
        (0..n).map(|k| (state >> k & 1) as f64).collect()
    }

    fn net() -> DeepBeliefNet {
        let mut rng = Streams::new(3).stream(0);
        let mut machine = |nv: usize, nh: usize| {
            let mut rbm = Rbm::random(Bernoulli, Bernoulli, nv, nh, 0.8, &mut rng).unwrap();
            let normals: Vec<f64> = (0..nh).map(|_| linalg_core::rng::standard_normal(&mut rng)).collect();
            rbm.parameters_mut().2.copy_from_slice(&normals);
            rbm
        };
        DeepBeliefNet::new(vec![machine(4, 3), machine(3, 3), machine(3, 2)]).unwrap()
    }

    /// ln P(v) and the bound, each summed over all states of the two layers between.
    fn by_enumeration(net: &DeepBeliefNet, v: &[f64], ln_z: f64) -> (f64, f64) {
        let [first, second, top] = &net.machines[..] else { unreachable!() };
        let ln_p = |machine: &Rbm<Bernoulli, Bernoulli>, v: &[f64], h: &[f64]| {
            let mut fields = vec![0.0; v.len()];
            machine.visible_fields(h, &mut fields);
            ln_bernoulli(&fields, v)
        };
        let ln_q = |machine: &Rbm<Bernoulli, Bernoulli>, v: &[f64], h: &[f64]| {
            let mut fields = vec![0.0; h.len()];
            machine.hidden_fields(v, &mut fields);
            ln_bernoulli(&fields, h)
        };
        let (mut joint, mut bound) = (Vec::new(), 0.0);
        for one in 0..8 {
            for two in 0..8 {
                let (one, two) = (bits(one, 3), bits(two, 3));
                let ln_joint = ln_p(first, v, &one) + ln_p(second, &one, &two) - top.free_energy(&two, 1.0) - ln_z;
                let ln_q = ln_q(first, v, &one) + ln_q(second, &one, &two);
                joint.push(ln_joint);
                bound += ln_q.exp() * (ln_joint - ln_q);
            }
        }
        (log_sum_exp(&joint), bound)
    }

    #[test]
    fn the_bound_and_the_samples_are_those_of_enumeration() {
        let net = net();
        let ln_z = exact_ln_z(net.top(), 1.0).unwrap();
        let mut rng = Streams::new(4).stream(0);
        let mut law = Vec::new();
        for state in 0..16 {
            let v = bits(state, 4);
            let (ln_p, bound) = by_enumeration(&net, &v, ln_z);
            assert!(bound < ln_p);
            law.push(ln_p.exp());
            let mut mean = Running::new();
            (0..4000).for_each(|_| mean.push(net.bound(&v, ln_z, &mut rng)));
            // The largest of 16 deviations lies below 4.5 errors with probability 0.9999.
            assert!((mean.mean() - bound).abs() < 4.5 * mean.std_error(), "{} {bound}", mean.mean());
        }
        assert!((law.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        // Visible means of the chain against the law; 40 000 nearly independent samples, 4.5 standard deviations of a bit.
        let mut chain = vec![0.0; 3];
        let mut means = [0.0; 4];
        for _ in 0..40_000 {
            let v = net.sample(&mut chain, 5, &mut rng);
            means.iter_mut().zip(v).for_each(|(mean, x)| *mean += x / 40_000.0);
        }
        for (k, mean) in means.iter().enumerate() {
            let exact: f64 = law.iter().enumerate().map(|(state, p)| p * (state >> k & 1) as f64).sum();
            assert!((mean - exact).abs() < 4.5 * 0.5 / 200.0, "{mean} {exact}");
        }
        // One machine: the bound is the likelihood.
        let single = DeepBeliefNet::new(vec![net.machines[0].clone()]).unwrap();
        let ln_z = exact_ln_z(single.top(), 1.0).unwrap();
        let v = bits(5, 4);
        assert!((single.bound(&v, ln_z, &mut rng) + single.top().free_energy(&v, 1.0) + ln_z).abs() < 1e-12);
        assert_eq!(single.recognise_sample(&v, &mut rng), v);
    }

    /// Three bits that are equal in every row, twice: a stack learns that rows are constant.
    #[test]
    fn greedy_training_learns_layer_by_layer() {
        let bytes: Vec<u8> = (0..512).flat_map(|k| [(k % 2) as u8; 6]).collect();
        let data = BitRows::from_bytes(&bytes, 6).unwrap();
        let machine =
            TrainingParams::default().epochs(300).learning_rate(0.1).schedule(Schedule::Linear { end: 0.0 }).batch(64);
        let params = BeliefTraining::default().hidden(vec![5, 3]).machine(machine).initial(0.1);
        let mut heard = Vec::new();
        let net = DeepBeliefNet::pretrain(&data, &params, Streams::new(1), |k, machine| {
            heard.push((k, machine.n_visible(), machine.n_hidden()));
        })
        .unwrap();
        assert_eq!(heard, [(0, 6, 5), (1, 5, 3)]);
        // The law of the two constant rows, by enumeration of the layer between.
        let ln_z = exact_ln_z(net.top(), 1.0).unwrap();
        let probability = |v: &[f64]| {
            let ln_joint = |h: Vec<f64>| {
                let mut fields = vec![0.0; 6];
                net.machines[0].visible_fields(&h, &mut fields);
                ln_bernoulli(&fields, v) - net.top().free_energy(&h, 1.0) - ln_z
            };
            (0..32).map(|state| ln_joint(bits(state, 5)).exp()).sum::<f64>()
        };
        let (zeros, ones) = (probability(&[0.0; 6]), probability(&[1.0; 6]));
        assert!(zeros > 0.25 && ones > 0.25 && zeros + ones > 0.8, "{zeros} {ones}");
    }

    #[test]
    fn nets_that_do_not_fit_are_refused() {
        assert!(DeepBeliefNet::new(Vec::new()).is_err());
        let machine = |nv: usize, nh: usize| {
            Rbm::new(Bernoulli, Bernoulli, vec![0.0; nv * nh], vec![0.0; nv], vec![0.0; nh]).unwrap()
        };
        let error = DeepBeliefNet::new(vec![machine(3, 2), machine(3, 1)]).unwrap_err();
        assert_eq!(error.to_string(), "visible units of the next machine: 3 values, expected 2");
        let data = BitRows::from_bytes(&[0, 1], 1).unwrap();
        let two = |p: f32, draws| {
            DeepBeliefNet::pretrain_on_means(
                &[0.5, p],
                1,
                &BeliefTraining::default(),
                draws,
                Streams::new(1),
                |_, _| {},
            )
        };
        let error = two(1.5, 1).unwrap_err().to_string();
        assert_eq!(error, "row 1, entry 0 is 1.5, expected 0 to 1");
        assert!(two(0.5, 0).is_err() && two(f32::NAN, 1).is_err());
        let params = BeliefTraining::default().hidden(Vec::new());
        assert!(DeepBeliefNet::pretrain(&data, &params, Streams::new(1), |_, _| {}).is_err());
    }
}
