//! What all engines with a population of replicas do alike.
//!
//! The engines have a `population` with the fields `n_replicas`, `sweeps`, `threads`, `instructions` and `problem`, of
//! packed spins or of vectors. The macros write what would otherwise stand in every one of them.

/// The settings of an engine that do not change its spins; `$share` is what one thread takes at least.
macro_rules! settings_of_population {
    ($share:literal) => {
        /// Works with these instructions instead of the best ones; the spins do not depend on it.
        ///
        /// # Errors
        /// [`Error::Parameter`](crate::Error::Parameter) if this machine does not have them.
        pub fn with_instructions(mut self, set: InstructionSet) -> Result<Self> {
            self.population.instructions = set.check()?;
            Ok(self)
        }

        #[doc = concat!("Sweeps on up to this many threads, with ", $share, " each, where a call of `advance` has work")]
        /// enough for them; the spins do not depend on it. With 1, the default, the feature `rayon` decides.
        #[must_use]
        pub fn with_threads(mut self, threads: usize) -> Self {
            self.population.threads = threads;
            self
        }

        /// The instructions that are used.
        pub fn instructions(&self) -> InstructionSet {
            self.population.instructions
        }
    };
}

/// [`Simulation`](crate::Simulation) of an engine that says in `write`, `read` and `adopt` what its state is, and in
/// `lane_beta` which lane has which temperature.
macro_rules! simulation_of_population {
    ($engine:ty) => {
        impl crate::Simulation for $engine {
            fn n_spins(&self) -> usize {
                self.population.n_spins()
            }

            fn n_lanes(&self) -> usize {
                self.population.n_replicas
            }

            fn beta(&self, lane: usize) -> f64 {
                assert!(lane < self.n_lanes(), "lane {lane} of {}", self.n_lanes());
                self.lane_beta(lane)
            }

            fn sweeps(&self) -> u64 {
                self.population.sweeps
            }

            fn configuration(&self, lane: usize) -> crate::Spins {
                crate::Spins::from_known_signs(self.spins(lane))
            }

            /// Reports after every four million updates, or after every sweep if that is longer.
            fn advance(
                &mut self,
                sweeps: u64,
                observer: &mut dyn linalg_core::Observer<crate::Progress>,
            ) -> crate::SweepStats {
                let updates = (self.n_spins() * self.n_lanes()) as u64;
                crate::mcmc::multispin::population::advance(sweeps, updates, observer, |sweeps| self.sweep(sweeps))
            }

            fn measure(&mut self, into: &mut crate::mcmc::Observables) {
                let (energies, magnetizations) = (self.energies(), self.magnetizations());
                crate::mcmc::multispin::population::record(into, self.n_spins(), &energies, &magnetizations, |lane| {
                    self.spins(lane)
                });
            }

            fn checkpoint(&self) -> linalg_core::checkpoint::Checkpoint {
                let mut state = linalg_core::checkpoint::Writer::new();
                self.write(&mut state);
                linalg_core::checkpoint::Checkpoint::new(KIND, self.population.problem, state)
            }

            fn restore(&mut self, from: &linalg_core::checkpoint::Checkpoint) -> Result<()> {
                let problem = self.population.problem;
                let state = crate::mcmc::saved_state::read_state(from, KIND, problem, |reader| self.read(reader))?;
                self.adopt(state)
            }
        }
    };
}

/// The state of an engine at one temperature: that and the population. Goes into its `impl` block.
macro_rules! state_at_one_temperature {
    () => {
        fn lane_beta(&self, _: usize) -> f64 {
            self.beta
        }

        fn write(&self, state: &mut linalg_core::checkpoint::Writer) {
            state.write_f64(self.beta);
            self.population.write(state);
        }

        fn read(
            &self,
            reader: &mut linalg_core::checkpoint::Reader<'_>,
        ) -> std::result::Result<(f64, Population), linalg_core::checkpoint::CheckpointError> {
            let beta = crate::mcmc::saved_state::read_beta(reader)?;
            Ok((beta, self.population.read(reader)?))
        }

        fn adopt(&mut self, (beta, population): (f64, Population)) -> Result<()> {
            self.population = population;
            self.set_beta(beta)
        }
    };
}

pub(super) use {settings_of_population, simulation_of_population, state_at_one_temperature};
