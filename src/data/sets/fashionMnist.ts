// Fashion-MNIST (Xiao, Rasul, Vollgraf; Zalando Research): 60,000 + 10,000 images of clothes in the format of MNIST.
import { type DigitsFiles, type DigitsSet, type ImageSetOptions, readDigits } from './digits.js';

const SOURCE = {
  set: 'fashion-mnist',
  // The publisher's server, and the same files in its repository.
  mirrors: [
    'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
    'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
  ],
};

/** The publisher's MD5 of the .gz files. */
const FILES: DigitsFiles = {
  'train-images-idx3': { md5: '8d4fb7e6c68d591d4c3dfef9ec88bf0d' },
  'train-labels-idx1': { md5: '25c81989df183df01b3e8a0aad5dffbe' },
  't10k-images-idx3': { md5: 'bef4ecab320f06d8554ea6380940ec79' },
  't10k-labels-idx1': { md5: 'bb300cfdad3c16e7a12a480ee83cd310' },
};

const CLASSES = Object.freeze([
  ...['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat'],
  ...['Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
]);

/**
 * The Fashion-MNIST images of ten kinds of clothes as two datasets of images [N, 1, 28, 28] and int64 labels [N].
 *
 * With `folder` the four files are read from there, with or without `.gz`. Else they are downloaded from the publisher
 * (30.9 MB) into a cache, and checked by the publisher's MD5; the next call reads the cache.
 *
 * @throws FileError if a file is missing, damaged, cannot be downloaded, or images and labels do not belong together
 *
 * @example
 * const { train, test, classes } = await data.fashionMnist();
 * classes[Number(await train.get(0)[1].item())]; // 'Ankle boot'
 */
export async function fashionMnist(
  options: ImageSetOptions & { readonly normalize: false },
): Promise<DigitsSet<'uint8'>>;
export async function fashionMnist(
  options?: ImageSetOptions & { readonly normalize?: true },
): Promise<DigitsSet<'float32'>>;
export async function fashionMnist(options?: ImageSetOptions): Promise<DigitsSet>;
export async function fashionMnist(options: ImageSetOptions = {}): Promise<DigitsSet> {
  return readDigits(SOURCE, FILES, CLASSES, options);
}
