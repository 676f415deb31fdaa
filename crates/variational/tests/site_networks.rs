//! Networks that go from site to site: transformers and masked convolutions.

mod common;

use approx::assert_abs_diff_eq;
use common::{check, check_gradient, stir, table};
use variational::autoregressive::{
    Activation, Autoregressive, Made, MadeParams, PixelCnn, PixelCnnParams, Symmetric, Transformer, TransformerParams,
};

fn transformers() -> Vec<TransformerParams> {
    let base = TransformerParams::default();
    vec![
        base.size(2, 0).heads(1),
        base.size(4, 1).heads(1),
        base.size(6, 2).heads(3).tied(false),
        base.size(8, 3).heads(2),
    ]
}

#[test]
fn transformers_are_normalised_and_sample_themselves() {
    for params in transformers() {
        check(&stir(Transformer::<f64>::new(9, params).unwrap(), 1), 1e-11);
        check(&stir(Transformer::<f32>::new(9, params).unwrap(), 1), 1e-4);
        check(&Symmetric::new(stir(Transformer::<f64>::new(7, params).unwrap(), 2)), 1e-11);
    }
    check(&stir(Transformer::<f64>::new(1, transformers()[1]).unwrap(), 3), 1e-12);
    check(&stir(Transformer::<f64>::new(12, transformers()[1]).unwrap(), 3), 1e-11);
}

#[test]
fn gradients_of_transformers_are_derivatives() {
    for params in transformers().into_iter().take(3) {
        check_gradient(&stir(Transformer::<f64>::new(9, params).unwrap(), 4));
    }
    check_gradient(&Symmetric::new(stir(Transformer::<f64>::new(5, transformers()[1]).unwrap(), 5)));
}

#[test]
fn a_transformer_names_bad_input() {
    let refuse = |n, params| Transformer::<f64>::new(n, params).unwrap_err().to_string();
    let base = TransformerParams::default();
    assert_eq!(refuse(0, base), "number of spins is 0, expected at least 1");
    assert_eq!(refuse(3, base.size(1, 1)), "dim is 1, expected at least 2");
    assert_eq!(refuse(3, base.heads(0)), "heads is 0, expected at least 1");
    assert_eq!(refuse(3, base.heads(3)), "heads is 3, expected a divisor of dim");
    assert!(refuse(3, base.size(1 << 20, 4)).starts_with("transformer: number of parameters is"));
    assert!(refuse(usize::MAX, base).starts_with("transformer: number of parameters is"));
}

fn convolutions() -> Vec<PixelCnnParams> {
    let base = PixelCnnParams::default();
    vec![
        base.layers(1, 1, 5),
        base.layers(2, 3, 3),
        base.layers(3, 9, 3),
        base.layers(3, 2, 5).activation(Activation::Tanh).bias(false),
        base.layers(2, 2, 1),
    ]
}

#[test]
fn convolutions_are_normalised_and_sample_themselves() {
    for params in convolutions() {
        check(&stir(PixelCnn::<f64>::new(3, 3, params).unwrap(), 1), 1e-11);
        check(&stir(PixelCnn::<f32>::new(3, 3, params).unwrap(), 1), 2e-5);
        check(&Symmetric::new(stir(PixelCnn::<f64>::new(2, 4, params).unwrap(), 2)), 1e-11);
    }
    check(&stir(PixelCnn::<f64>::new(1, 1, convolutions()[1]).unwrap(), 3), 1e-12);
    check(&stir(PixelCnn::<f64>::new(4, 3, convolutions()[2]).unwrap(), 3), 1e-11);
}

#[test]
fn gradients_of_convolutions_are_derivatives() {
    for params in convolutions() {
        check_gradient(&stir(PixelCnn::<f64>::new(3, 3, params).unwrap(), 4));
        check_gradient(&Symmetric::new(stir(PixelCnn::<f64>::new(2, 4, params).unwrap(), 5)));
    }
}

#[test]
fn one_convolution_is_one_masked_layer() {
    // A kernel that reaches every earlier site of 3 x 3 from every site, against the dense layer with the same weights.
    let cnn = stir(PixelCnn::<f64>::new(3, 3, PixelCnnParams::default().layers(1, 1, 5)).unwrap(), 6);
    let mut made = Made::<f64>::new(9, MadeParams::default()).unwrap();
    let mut dense = vec![0.0; 90];
    for i in 0..9i32 {
        for j in 0..i {
            let (down, right) = (i / 3 - j / 3, j % 3 - i % 3);
            dense[(9 * i + j) as usize] = cnn.parameters()[((2 - down) * 5 + 2 + right) as usize];
        }
        dense[(81 + i) as usize] = cnn.parameters()[12];
    }
    made.set_parameters(&dense).unwrap();
    for (a, b) in table(&cnn).iter().zip(table(&made)) {
        assert_abs_diff_eq!(a, &b, epsilon = 1e-14);
    }
}

#[test]
fn a_convolution_names_bad_input() {
    let refuse = |h, w, params| PixelCnn::<f64>::new(h, w, params).unwrap_err().to_string();
    let base = PixelCnnParams::default();
    assert_eq!(refuse(0, 3, base), "height is 0, expected at least 1");
    assert_eq!(refuse(3, 0, base), "width is 0, expected at least 1");
    assert_eq!(refuse(3, 3, base.layers(0, 1, 3)), "depth is 0, expected at least 1");
    assert_eq!(refuse(3, 3, base.layers(1, 0, 3)), "channels is 0, expected at least 1");
    assert_eq!(refuse(3, 3, base.layers(1, 1, 4)), "kernel is 4, expected an odd number");
    assert!(refuse(usize::MAX, 3, base).starts_with("pixelcnn: number of weights or sites is"));
}
