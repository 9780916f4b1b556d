// Lint: strict TypeScript, small files and functions, imports that point down the flow only.
import tseslint from 'typescript-eslint'

const outside = (patterns, message) => ({
  'no-restricted-imports': ['error', { patterns: [{ group: patterns, message }] }]
})

export default tseslint.config(
  {
    ignores: [
      'dist/**',
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
      eqeqeq: 'error',
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
  { files: ['core/cli/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts', 'docs/**/*.ts'], rules: { 'no-console': 'off' } }
)
