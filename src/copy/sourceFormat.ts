// Tells a disk image that is not raw by its first bytes. Only one kind matters: a qcow2 file put onto a device byte by
// byte, where KubeVirt would take its header for the guest's own bytes (contract §8, data plane §3).
import type { DiskKind } from './paths.ts';

/** "QFI" and 0xfb. */
const qcow2 = Uint8Array.of(0x51, 0x46, 0x49, 0xfb);

/** How many bytes have to be read to tell. */
export const headLength = qcow2.length;

/** Why these first bytes of a source must not be copied onto that target; undefined when they may. */
export const unfitFormat = (head: Uint8Array, source: DiskKind, target: DiskKind): string | undefined =>
  // What a device holds is raw whatever the guest wrote there: it may keep an image of its own.
  source === 'file' && target === 'block' && qcow2.every((byte, index) => head[index] === byte)
    ? 'the source is a qcow2 image and the target a device, which KubeVirt reads as raw'
    : undefined;
