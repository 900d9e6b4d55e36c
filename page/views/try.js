export const title = 'try.title';

export async function show() {
  return () => {};
}
