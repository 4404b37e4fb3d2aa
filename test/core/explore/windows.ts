// What KubeVirt itself does to a guest or to our pods in moments that nobody can close from outside: each is harm, or
// comes near to it, that follows no decision the daemon could have taken otherwise with what it had seen.
export const windows = {
  /** Contract §0.2: Always, and RerunOnFailure after a crash, boot whatever the VM names before a revert can land. */
  restartedOnTarget: 'a VMI that ends during a live migration is started again on the half-copied target',
  /** Contract §4.5: the next VMI has its launcher on B already; the VM is put back on A, and the VMI follows it. */
  copiedBack: 'a revert meets a VMI that is about to boot on the half-copied target, and KubeVirt copies it back',
  /** Contract §4.6: accepted, and everything says A while the guest runs on B. */
  lateRevert: 'the guest switches over before a revert lands that was decided without knowing it',
  /** Contract §4.6: before the spec is repaired the guest ends, and boots on what it has left behind. */
  staleBoot: 'a revert that lost against the switch-over, and the guest boots on the stale source',
  /** After a late revert KubeVirt migrates the volumes back, and is done before that is taken back. */
  movedBack: 'after a revert that lost against the switch-over KubeVirt has moved the guest back to the source',
  /** Contract §4.6: virt-controller makes a VMI from the VM in its cache, with no write to the VM. */
  cachedVmi: 'a VMI is made from the VM as it was, and a copy pod beside it',
  cachedVmiOnCopy: 'a VMI is made from the VM as it was, on the target that rsync writes to',
  cachedVmiOnWhole: 'a VMI is made from the VM as it was, and boots on the target that was just copied',
  /** `status.created` is written after the VMI. */
  untoldVmi: 'a VMI exists that the VM does not tell of yet, and a copy pod is made',
  /** Only for a write that was not answered and lands later. */
  startedMeanwhile: 'the VM is started between our last look and the landing of a copy pod',
  endedMeanwhile: 'the guest ends between our last look and the patch that names the target',
} as const;

export type Window = (typeof windows)[keyof typeof windows];
