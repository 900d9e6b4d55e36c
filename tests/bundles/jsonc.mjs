// What page/template-file.js uses of jsonc-parser.
export { getNodePath, parseTree, printParseErrorCode } from 'jsonc-parser';
