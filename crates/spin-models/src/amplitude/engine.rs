//! Contraction of complex factors with some legs given.

use linalg_core::Observer;
use linalg_core::num_complex::Complex64;
use linalg_core::tensor::{
    Contraction, ContractionProgress, Cost, Keep, Leg, Network, Simplification, Tensor, slice_to_budget,
};

use super::contract::ContractionParams;
use crate::model::Progress;
use crate::{Error, Result};

const NAME: &str = "circuit contraction";

/// A network that is ready but for the values of the legs that are given.
#[derive(Debug, Clone)]
pub(super) struct Engine {
    tensors: Vec<Tensor<Complex64>>,
    /// For each tensor the given legs that it has, by their number in the list.
    given: Vec<Vec<(Leg, usize)>>,
    open: Vec<Leg>,
    simplification: Simplification,
    contraction: Contraction,
}

impl Engine {
    /// Finds order and slices. All legs have dimension 2 and belong to some tensor.
    pub(super) fn new(
        n_legs: usize,
        mut tensors: Vec<Tensor<Complex64>>,
        given: &[Leg],
        open: Vec<Leg>,
        params: &ContractionParams,
    ) -> Result<Self> {
        if tensors.is_empty() {
            tensors.push(Tensor::scalar(Complex64::ONE));
        }
        // What does not depend on the values is done once.
        let kept = [&open[..], given].concat();
        let legs = tensors.iter().map(|tensor| tensor.legs().to_vec()).collect();
        let tensors = Simplification::new(&Network::new(vec![2; n_legs], legs, kept)?)?.run(&tensors);
        let mut place = vec![None; n_legs];
        for (k, &leg) in given.iter().enumerate() {
            place[leg as usize] = Some(k);
        }
        let given: Vec<Vec<(Leg, usize)>> = tensors
            .iter()
            .map(|tensor| tensor.legs().iter().filter_map(|&leg| place[leg as usize].map(|k| (leg, k))).collect())
            .collect();
        let free = |tensor: &Tensor<Complex64>| {
            tensor.legs().iter().copied().filter(|&leg| place[leg as usize].is_none()).collect::<Vec<Leg>>()
        };
        let network = Network::new(vec![2; n_legs], tensors.iter().map(free).collect(), open.clone())?;
        let simplification = Simplification::new(&network)?;
        let network = simplification.network();
        let tree = params.order.find(network)?;
        let budget = params.memory_bytes / params.threads.max(1);
        let sliced = match slice_to_budget(network, &tree, size_of::<Complex64>(), budget, Keep::Value) {
            Err(linalg_core::Error::MemoryBudget { least, .. }) => {
                let least = least * params.threads.max(1) as f64;
                return Err(Error::MemoryBudget { what: "the contraction", least, budget: params.memory_bytes });
            }
            other => other?,
        };
        let contraction = Contraction::with_slices(network, &tree, &sliced)?;
        Ok(Self { tensors, given, open, simplification, contraction })
    }

    pub(super) fn slices(&self) -> u64 {
        self.contraction.slices()
    }

    pub(super) fn slice_cost(&self) -> Cost {
        self.contraction.slice_cost()
    }

    /// Number of tensors that are contracted.
    pub(super) fn n_tensors(&self) -> usize {
        self.simplification.network().tensors().len()
    }

    /// The sum with these values of the given legs: a tensor over the open legs in their order.
    pub(super) fn run(
        &self,
        values: &dyn Fn(usize) -> usize,
        threads: usize,
        observer: &mut dyn Observer<Progress>,
    ) -> Result<Tensor<Complex64>> {
        let fix = |(tensor, given): (&Tensor<Complex64>, &Vec<(Leg, usize)>)| match &given[..] {
            [] => tensor.clone(),
            [(leg, k), rest @ ..] => {
                rest.iter().fold(tensor.fixed(*leg, values(*k)), |tensor, &(leg, k)| tensor.fixed(leg, values(k)))
            }
        };
        let tensors: Vec<Tensor<Complex64>> = self.tensors.iter().zip(&self.given).map(fix).collect();
        let tensors = self.simplification.run(&tensors);
        let mut report =
            |event: &ContractionProgress| observer.observe(&Progress::new("contracting", event.done, event.total));
        match self.contraction.run_on_threads(&tensors, threads, &mut report) {
            Ok(value) => Ok(value.tensor.transposed(&self.open)),
            Err(linalg_core::Error::Stopped { done, total, .. }) => Err(Error::Stopped { solver: NAME, done, total }),
            Err(error) => Err(error.into()),
        }
    }
}
