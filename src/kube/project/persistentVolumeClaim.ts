// PersistentVolumeClaim as it is kept: size, mode, class and who owns it.
import type { PersistentVolumeClaim } from '../../core/objects.ts';
import { quantityBytes } from '../../core/quantity.ts';
import { describe, entries, type Fields, projection, section, share, text, texts, Unexpected } from './fields.ts';

/** Bytes of the quantity in `storage`; 0 when absent. */
const storageOf = (parent: Fields, at: string): number => {
  const quantity = parent['storage'];
  if (quantity === undefined || quantity === null) return 0;
  const bytes = quantityBytes(quantity);
  if (bytes === undefined) throw new Unexpected(`${at}.storage`, describe(quantity), 'a quantity such as 10Gi');
  return bytes;
};

const volumeModeOf = (spec: Fields): PersistentVolumeClaim['volumeMode'] => {
  const mode = text(spec, 'volumeMode', 'spec');
  if (mode === '' || mode === 'Filesystem') return 'Filesystem';
  if (mode === 'Block') return 'Block';
  throw new Unexpected('spec.volumeMode', describe(mode), 'Filesystem or Block');
};

const dataVolumeOf = (metadata: Fields): PersistentVolumeClaim['dataVolume'] => {
  const at = 'metadata.ownerReferences[]';
  const owner = entries(metadata, 'ownerReferences', 'metadata').find((each) => each['kind'] === 'DataVolume');
  return owner === undefined ? undefined : { name: text(owner, 'name', at), uid: text(owner, 'uid', at) };
};

const modeLists = new Map<string, readonly string[]>();

/** One list for all equal ones: there are only a handful in a cluster. */
const accessModesOf = (spec: Fields): readonly string[] => {
  const modes = texts(spec, 'accessModes', 'spec');
  const key = modes.join();
  const known = modeLists.get(key);
  if (known !== undefined) return known;
  if (modeLists.size < 64) modeLists.set(key, modes);
  return modes;
};

export const projectPersistentVolumeClaim = projection<PersistentVolumeClaim>(
  'PersistentVolumeClaim',
  (raw, identity) => {
    const spec = section(raw, 'spec', '');
    const status = section(raw, 'status', '');
    const resources = section(spec, 'resources', 'spec');
    return {
      ...identity,
      phase: share(text(status, 'phase', 'status')),
      storageClassName: share(text(spec, 'storageClassName', 'spec')),
      volumeMode: volumeModeOf(spec),
      accessModes: accessModesOf(spec),
      dataVolume: dataVolumeOf(section(raw, 'metadata', '')),
      requestedBytes: storageOf(section(resources, 'requests', 'spec.resources'), 'spec.resources.requests'),
      capacityBytes: storageOf(section(status, 'capacity', 'status'), 'status.capacity'),
    };
  },
);
