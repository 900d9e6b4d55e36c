// The part of JSON Schema that page/template.schema.json uses, checked against a tree that knows where each value stands.

/**
 * What a value does wrong, each as { keyword, title, node, expected, name }: the schema's keyword, the title of the schema
 * that asks for it, the node to blame, and what would have been right.
 */
export function* faultsOf(schema, node, root = schema) {
  schema = resolved(schema, root);
  if (schema.oneOf) {
    const branches = schema.oneOf.map((branch) => resolved(branch, root));
    const branch = branches.find(({ type }) => type === node.type);
    if (branch) yield* faultsOf(branch, node, root);
    else yield fault('type', schema, node, { expected: branches.map(({ type }) => type) });
    return;
  }
  if (schema.type && schema.type !== node.type) {
    yield fault('type', schema, node, { expected: [schema.type] });
    return;
  }
  if (schema.enum && !schema.enum.includes(node.value)) yield fault('enum', schema, node, { expected: schema.enum });
  if (node.type === 'string') yield* faultsOfString(schema, node);
  if (node.type === 'object') yield* faultsOfObject(schema, node, root);
  if (node.type === 'array' && schema.items) {
    for (const item of node.children) yield* faultsOf(schema.items, item, root);
  }
}

function* faultsOfString(schema, node) {
  const tooLong = schema.maxLength !== undefined && node.value.length > schema.maxLength;
  const unlike = schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(node.value);
  if (tooLong || unlike) yield fault('pattern', schema, node);
}

function* faultsOfObject(schema, node, root) {
  const names = new Set();
  for (const {
    children: [key, value],
  } of node.children) {
    const name = key.value;
    // JSON leaves it open what this means; the service refuses it.
    if (names.has(name)) yield fault('twice', schema, key, { name });
    names.add(name);
    if (schema.propertyNames) yield* faultsOf(schema.propertyNames, key, root);
    const known = schema.properties && Object.hasOwn(schema.properties, name);
    const asked = known ? schema.properties[name] : schema.additionalProperties;
    if (asked === false) {
      yield fault('additionalProperties', schema, key, { name, expected: Object.keys(schema.properties ?? {}) });
    } else if (asked && value) yield* faultsOf(asked, value, root);
  }
  for (const name of schema.required ?? []) {
    if (!names.has(name)) yield fault('required', schema, node, { name });
  }
  if (names.size < (schema.minProperties ?? 0)) yield fault('minProperties', schema, node);
}

function resolved(schema, root) {
  if (!schema.$ref) return schema;
  return schema.$ref
    .replace(/^#\//, '')
    .split('/')
    .reduce((at, step) => at[step], root);
}

function fault(keyword, { title }, node, more = {}) {
  return { keyword, title, node, ...more };
}
