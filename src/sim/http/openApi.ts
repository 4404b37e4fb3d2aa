// The API description that kubectl asks for before it sends an object. It describes no types: kubectl then checks
// nothing itself and leaves it to the server, which is where it is checked here.

const description = { swagger: '2.0', info: { title: 'Simulated Kubernetes API', version: 'v1' }, paths: {} };

/** The description under `/openapi/v2`, in the encoding asked for; undefined for other paths. */
export const openApi = (
  path: string,
  accept: string,
): { readonly body: unknown; readonly contentType: string } | undefined => {
  if (path !== '/openapi/v2') return undefined;
  // A protobuf message without fields has no bytes. Asked for as `v2@v1.0`, it is answered as `v2.v1.0`: the former is
  // no media type that a client could read.
  if (accept.includes('protobuf')) {
    return { body: '', contentType: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf' };
  }
  return { body: description, contentType: 'application/json' };
};
