// What is checked of every object's metadata: names, labels, annotations, finalizers, owner references. Gives the
// mistakes in the words of a real server, each with the path of its field; an empty list means all is well.
import type { KubeMetadata, Resource } from '../../kube/api.ts';

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const labelKeyName = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const mostAnnotationBytes = 256 * 1024;

/** Kinds whose names are one DNS label, because they become part of a host name. */
const labelNamed = new Set(['namespaces', 'services']);

const nameErrors = (resource: Resource, name: string): readonly string[] => {
  const wrong = (why: string): readonly string[] => [`metadata.name: Invalid value: ${JSON.stringify(name)}: ${why}`];
  if (name === '') return ['metadata.name: Required value: name or generateName is required'];
  if (resource.group === 'rbac.authorization.k8s.io') {
    return /[/%]/.test(name) || name === '.' || name === '..' ? wrong("may not contain '/' or '%'") : [];
  }
  if (resource.group === '' && labelNamed.has(resource.plural)) {
    if (name.length > 63) return wrong('must be no more than 63 characters');
    return label.test(name)
      ? []
      : wrong(
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
        );
  }
  if (name.length > 253) return wrong('must be no more than 253 characters');
  return subdomain.test(name)
    ? []
    : wrong(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
      );
};

const isQualifiedName = (key: string): boolean => {
  const parts = key.split('/');
  const [prefix, name] = parts.length === 1 ? [undefined, parts[0]] : parts;
  if (parts.length > 2 || name === undefined || name.length > 63 || !labelKeyName.test(name)) return false;
  return prefix === undefined || (prefix.length <= 253 && subdomain.test(prefix));
};

const keyError = (path: string, key: string): string =>
  `${path}: Invalid value: ${JSON.stringify(key)}: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`;

const labelErrors = (labels: Readonly<Record<string, unknown>>): readonly string[] =>
  Object.entries(labels).flatMap(([key, value]) => {
    if (!isQualifiedName(key)) return [keyError('metadata.labels', key)];
    const shown = JSON.stringify(value);
    if (typeof value !== 'string') return [`metadata.labels.${key}: Invalid value: ${shown}: must be a string`];
    if (value.length > 63) return [`metadata.labels: Invalid value: ${shown}: must be no more than 63 bytes`];
    return labelValue.test(value)
      ? []
      : [
          `metadata.labels: Invalid value: ${shown}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`,
        ];
  });

const annotationErrors = (annotations: Readonly<Record<string, unknown>>): readonly string[] => {
  let bytes = 0;
  const errors = Object.entries(annotations).flatMap(([key, value]) => {
    if (!isQualifiedName(key.toLowerCase())) return [keyError('metadata.annotations', key)];
    if (typeof value !== 'string') {
      return [`metadata.annotations.${key}: Invalid value: ${JSON.stringify(value)}: must be a string`];
    }
    bytes += key.length + value.length;
    return [];
  });
  return bytes > mostAnnotationBytes
    ? [...errors, `metadata.annotations: Too long: may not be more than ${mostAnnotationBytes} bytes`]
    : errors;
};

const ownerErrors = (owners: NonNullable<KubeMetadata['ownerReferences']>): readonly string[] => {
  const empty = owners.flatMap((owner) =>
    (['apiVersion', 'kind', 'name', 'uid'] as const)
      .filter((field) => typeof owner[field] !== 'string' || owner[field] === '')
      .map((field) => `metadata.ownerReferences.${field}: Invalid value: "": must not be empty`),
  );
  const controllers = owners.filter((owner) => owner.controller === true);
  return controllers.length > 1
    ? [
        ...empty,
        `metadata.ownerReferences: Invalid value: Only one reference can have Controller set to true. Found "true" in references for ${controllers.map(({ kind, name }) => `${kind}/${name}`).join(' and ')}`,
      ]
    : empty;
};

const finalizerErrors = (finalizers: readonly string[]): readonly string[] =>
  finalizers
    .filter((finalizer) => !isQualifiedName(finalizer))
    .map((finalizer) => keyError('metadata.finalizers', finalizer));

/** Mistakes in the metadata of an object of this kind. */
export const metadataErrors = (resource: Resource, metadata: KubeMetadata): readonly string[] => [
  ...nameErrors(resource, metadata.name),
  ...labelErrors(metadata.labels ?? {}),
  ...annotationErrors(metadata.annotations ?? {}),
  ...ownerErrors(metadata.ownerReferences ?? []),
  ...finalizerErrors(metadata.finalizers ?? []),
];
