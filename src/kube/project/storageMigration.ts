// StorageMigration as it is kept. Unlike the other kinds it is checked by its whole schema: people write the spec, and
// the status holds our record. A status that does not pass is malformed, never empty: an empty record would read as
// "nothing was begun".
import type { ZodError } from 'zod';
import type { StorageMigration } from '../../core/objects.ts';
import { storageMigrationSchema } from '../../core/storageMigration.ts';
import { projection, section, text, texts, Unexpected, whole } from './fields.ts';

const { spec: specSchema, status: statusSchema } = storageMigrationSchema.shape;

const pathOf = (part: string, path: readonly PropertyKey[]): string =>
  path.reduce<string>((at, step) => (typeof step === 'number' ? `${at}[${step}]` : `${at}.${String(step)}`), part);

/** How the schema's library words most faults, for example `Invalid input: expected array, received string`. */
const wording = /: expected (.+?)(?:, received (.+))?$/;

/** Ends the projection with the first fault; the others come to light when it is mended. */
const refuse = (part: 'spec' | 'status', error: ZodError): never => {
  const [issue] = error.issues;
  const message = issue?.message ?? error.message;
  const [, expected = message, received = 'not valid'] = wording.exec(message) ?? [];
  throw new Unexpected(pathOf(part, issue?.path ?? []), received === 'undefined' ? 'absent' : received, expected);
};

/** Twice the same name would be refused by the CRD's list maps; a cluster with another CRD may let it through. */
const refuseRepeated = (names: readonly string[], at: string): void => {
  const index = names.findIndex((name, position) => names.indexOf(name) < position);
  if (index >= 0) throw new Unexpected(`${at}[${index}].name`, `"${names[index]}" again`, 'every name once');
};

export const projectStorageMigration = projection<StorageMigration>('StorageMigration', (raw, identity) => {
  const metadata = section(raw, 'metadata', '');
  const spec = specSchema.safeParse(raw['spec']);
  if (!spec.success) return refuse('spec', spec.error);
  refuseRepeated(
    spec.data.virtualMachines.map((each) => each.name),
    'spec.virtualMachines',
  );
  spec.data.virtualMachines.forEach((each, index) => {
    refuseRepeated(
      each.volumes.map((volume) => volume.name),
      `spec.virtualMachines[${index}].volumes`,
    );
  });
  const status = statusSchema.safeParse(raw['status'] ?? undefined);
  if (!status.success) return refuse('status', status.error);
  return {
    ...identity,
    generation: whole(metadata, 'generation', 'metadata'),
    createdAt: text(metadata, 'creationTimestamp', 'metadata'),
    finalizers: texts(metadata, 'finalizers', 'metadata'),
    spec: spec.data,
    status: status.data,
  };
});
