// The version of Transship, said in metrics, log and --version; held to package.json by a test.
export const version = '0.1.0';
