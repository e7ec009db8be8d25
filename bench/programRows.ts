// The programs of examples/ that have a twin in PyTorch, and how each is run beside it.

export interface ProgramRow {
  readonly name: string;
  /** What the summary says of it. */
  readonly title: string;
  /** Of bench/peers/programs. */
  readonly twin: string;
  /** The data set that it needs besides MNIST: a flag of the runner names its folder. */
  readonly data?: 'cifar10' | 'imdb';
  /** Flags of the whole run, on as many threads as there are. */
  readonly flags: readonly string[];
  /** Flags that make it shorter, for the run on one thread, whose results say nothing but the time. */
  readonly shorter: readonly string[];
  /** How often ours and the twin take turns; the fastest of each counts. */
  readonly pairs: number;
  /** Masks or noise are others than the twin's: losses agree in the mean only. */
  readonly random?: boolean;
  /** The training that stands for all in the summary, and its number. */
  readonly shown: { readonly run: string; readonly value: string; readonly as: string };
}

export const programRows: readonly ProgramRow[] = [
  {
    name: 'linear-regression',
    title: 'y = 2x + 1 by five methods',
    twin: 'linear_regression.py',
    flags: [],
    shorter: [],
    pairs: 2,
    shown: { run: 'Adam', value: 'slope', as: 'slope' },
  },
  {
    name: 'regularization-paths',
    title: 'paths of ridge and lasso',
    twin: 'regularization_paths.py',
    flags: [],
    shorter: [],
    pairs: 2,
    shown: { run: 'lasso proximal', value: 'b1', as: 'first coefficient' },
  },
  {
    name: 'mnist-mlp',
    title: '784-512-10 on MNIST, five sets of techniques',
    twin: 'mlp.py',
    flags: ['--seeds', '1'],
    shorter: ['--seeds', '1', '--epochs', '1'],
    pairs: 1,
    random: true,
    shown: { run: 'dropout/1', value: 'accuracy', as: 'test accuracy' },
  },
  {
    name: 'cifar-cnn',
    title: 'CNN on a part of CIFAR-10',
    twin: 'cifar_cnn.py',
    data: 'cifar10',
    flags: [],
    shorter: ['--epochs', '3'],
    pairs: 1,
    shown: { run: 'cifar-cnn', value: 'accuracy', as: 'test accuracy' },
  },
  {
    name: 'imdb-lstm',
    title: 'LSTM on a part of IMDB',
    twin: 'imdb_lstm.py',
    data: 'imdb',
    flags: [],
    shorter: ['--epochs', '1'],
    pairs: 1,
    shown: { run: 'imdb-lstm', value: 'accuracy', as: 'test accuracy' },
  },
  {
    name: 'vae',
    title: 'variational autoencoder of MNIST',
    twin: 'vae.py',
    flags: ['--epochs', '5'],
    shorter: ['--epochs', '2'],
    pairs: 1,
    random: true,
    shown: { run: 'vae', value: 'bound', as: 'nats per test image' },
  },
  {
    name: 'gan',
    title: 'DCGAN and WGAN-GP on MNIST',
    twin: 'gan.py',
    flags: ['--steps', '400', '--wgan-steps', '60'],
    shorter: ['--steps', '50', '--wgan-steps', '10', '--judge-epochs', '1'],
    pairs: 1,
    random: true,
    shown: { run: 'dcgan', value: 'score', as: 'score of the samples' },
  },
  {
    name: 'schedules',
    title: 'eight schedules on MNIST',
    twin: 'mlp.py',
    flags: [],
    shorter: ['--epochs', '3'],
    pairs: 1,
    shown: { run: 'one-cycle', value: 'accuracy', as: 'test accuracy' },
  },
  {
    name: 'optimizers',
    title: 'all optimizers on MNIST',
    twin: 'mlp.py',
    flags: [],
    shorter: ['--epochs', '2', '--limit', '5000'],
    pairs: 1,
    shown: { run: 'Adam', value: 'accuracy', as: 'test accuracy' },
  },
  {
    name: 'batch-size',
    title: 'growing batch against decaying rate',
    twin: 'mlp.py',
    flags: [],
    shorter: ['--epochs', '3'],
    pairs: 1,
    shown: { run: 'growing batch', value: 'accuracy', as: 'test accuracy' },
  },
];
