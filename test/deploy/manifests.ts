// The manifests in deploy/, read as data, for the tests about them.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

export type Manifest = z.infer<typeof manifest>;

export const deployDirectory = fileURLToPath(new URL('../../deploy/', import.meta.url));

/** The objects of one file, in order. Throws on YAML that has errors or warnings. */
function objectsIn(file: string): readonly Manifest[] {
  return [...parseAllDocuments(readFileSync(`${deployDirectory}${file}`, 'utf8'))].map((document) => {
    const problem = [...document.errors, ...document.warnings][0];
    if (problem !== undefined) {
      throw new Error(`deploy/${file}: ${problem.message}`);
    }
    return manifest.parse(document.toJS());
  });
}

/** Manifests of a folder by file name, in the order in which `kubectl apply -f` reads them. */
export function manifests(folder = ''): ReadonlyMap<string, readonly Manifest[]> {
  const files = readdirSync(`${deployDirectory}${folder}`)
    .filter((file) => file.endsWith('.yaml'))
    .sort();
  return new Map(files.map((file) => [file, objectsIn(`${folder}${file}`)]));
}
