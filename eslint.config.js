// Lint: strict TypeScript, small files and functions, imports that point down the flow only.
import tseslint from 'typescript-eslint'

// One handwriting: `#name` for private members, CAPITALS for numbers that a module fixes.
const number = '[init.type="Literal"][init.raw=/^[0-9]/]'
const handwriting = [
  {
    selector:
      ':matches(PropertyDefinition, MethodDefinition[kind!="constructor"], TSParameterProperty)[accessibility="private"]',
    message: 'private members are called #name'
  },
  {
    selector: `:matches(Program, ExportNamedDeclaration) > VariableDeclaration[kind="const"] > VariableDeclarator[id.name=/[a-z]/]${number}`,
    message: 'numbers that a module fixes are called LIKE_THIS'
  }
]

const outside = (patterns, message) => ({
  'no-restricted-imports': ['error', { patterns: [{ group: patterns, message }] }]
})

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'site/**',
      'test/samples/**',
      'schemas/generated/**',
      'examples/plugins/converter-rd00/rd00/**',
      'node_modules/**',
      'coverage/**'
    ]
  },
  ...tseslint.configs.recommendedTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'max-lines': ['error', { max: 320, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
      'no-restricted-syntax': ['error', ...handwriting],
      'capitalized-comments': [
        'error',
        'always',
        // code, ids and units keep their case
        {
          ignoreInlineComments: true,
          ignoreConsecutiveComments: true,
          ignorePattern:
            '[^ ]*[^a-z ,;:]|ns |ms |esbuild|ajv|kafkajs|librdkafka|npm|scipp|caproto|undefined|null |false|true |pvxs|flatc|zstd|lz4|snappy|h5wasm|eslint|prettier|c8'
        }
      ],
      eqeqeq: 'error',
      '@typescript-eslint/max-params': ['error', { max: 5 }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }]
    }
  },
  {
    files: ['core/**/*.ts'],
    rules: outside(['**/plugins/**'], 'core knows no plugin; look parts up through the host')
  },
  {
    files: ['plugins/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: outside(
      [
        '**/core/!(api)/**',
        '**/core/*.js',
        '**/core/api/!(plugin.js)',
        '../../commands/**',
        '../../../commands/**',
        '**/test/**'
      ],
      'a plugin imports core/api/plugin.ts, schemas/ and what its siblings publish only'
    )
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [] }]
    }
  },
  {
    files: ['commands/cli/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts', 'docs/**/*.ts'],
    rules: { 'no-console': 'off' }
  }
)
