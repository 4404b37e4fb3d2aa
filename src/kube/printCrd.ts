// Command-line program: prints the CRD manifest, for `npm run crd`.
import { crdManifest } from './crdManifest.ts';

process.stdout.write(crdManifest());
