// Label and field selectors as a list or watch carries them: text that becomes a predicate on objects.
import type { KubeObject } from '../../kube/api.ts';
import { failures } from './failures.ts';

type Labels = Readonly<Record<string, string>>;
type Requirement = (labels: Labels) => boolean;

/** Splits at commas, except those between parentheses. */
const requirementsOf = (selector: string): readonly string[] => {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const letter of selector) {
    if (letter === '(') depth += 1;
    if (letter === ')') depth -= 1;
    if (letter === ',' && depth === 0) {
      parts.push(part.trim());
      part = '';
    } else {
      part += letter;
    }
  }
  return [...parts, part.trim()];
};

const key = '([A-Za-z0-9][-A-Za-z0-9_./]*)';
const membership = new RegExp(`^${key}\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const equality = new RegExp(`^${key}\\s*(==|=|!=)\\s*([-A-Za-z0-9_.]*)$`);
const presence = new RegExp(`^(!?)\\s*${key}$`);

const requirementOf = (text: string): Requirement => {
  const [, member = '', how, list] = membership.exec(text) ?? [];
  if (how !== undefined && list !== undefined) {
    const values = new Set(list.split(',').map((value) => value.trim()));
    return how === 'in'
      ? (labels) => labels[member] !== undefined && values.has(labels[member])
      : (labels) => labels[member] === undefined || !values.has(labels[member]);
  }
  const [, name = '', operator, wanted] = equality.exec(text) ?? [];
  if (operator !== undefined) {
    return operator === '!=' ? (labels) => labels[name] !== wanted : (labels) => labels[name] === wanted;
  }
  const [, not, present] = presence.exec(text) ?? [];
  if (present !== undefined) {
    return not === '!' ? (labels) => labels[present] === undefined : (labels) => labels[present] !== undefined;
  }
  throw failures.badRequest(
    `unable to parse requirement: found "${text}", expected key, !key, key=value, key!=value, key in (a,b) or key notin (a,b)`,
  );
};

const noLabels: Labels = {};

/** Whether an object is selected; an absent or empty selector selects all, one that cannot be read throws 400. */
export const labelSelector = (selector: string | undefined): ((object: KubeObject) => boolean) => {
  if (selector === undefined || selector.trim() === '') return () => true;
  const requirements = requirementsOf(selector).map(requirementOf);
  return (object) => {
    const labels = object.metadata.labels ?? noLabels;
    return requirements.every((holds) => holds(labels));
  };
};
