export const title = 'health.title';

export async function show() {
  return () => {};
}
