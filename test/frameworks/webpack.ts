import { forPages, tellPage, type Files, type Framework } from './framework.ts'
import { reactApp } from './react-app.ts'

const vanilla: Files = {
  'src/main.js': `import './home.js'

const pages = { '/a': () => import('./a.js'), '/b': () => import('./b.js') }

document.body.innerHTML = '<a href="/a">a</a> <a href="/b">b</a>'
document.addEventListener('click', (event) => {
  event.preventDefault()
  pages[event.target.pathname]?.()
})
`,
  ...forPages(
    (page) => `src/${page}.js`,
    (page) => `${tellPage(page)}\n`,
  ),
}

/** webpack, which has no starter. */
export const webpack: Framework = {
  name: 'webpack',
  packages: { webpack: '5.113.0', 'webpack-cli': '7.3.1', 'html-webpack-plugin': '5.6.8' },
  files: {
    ...vanilla,
    'webpack.config.js': `import HtmlWebpackPlugin from 'html-webpack-plugin'

export default {
  mode: 'production',
  entry: './src/main.js',
  experiments: { outputModule: true },
  output: { module: true, publicPath: '/', filename: '[name].[contenthash].js' },
  plugins: [new HtmlWebpackPlugin({ scriptLoading: 'module' })],
}
`,
  },
  build: 'webpack',
  output: 'dist',
  configured: "`experiments.outputModule`, `output.module`, `scriptLoading: 'module'`",
}

/** Rspack with its own starter for React. */
export const rspack: Framework = {
  name: 'Rspack, React',
  packages: {
    '@rspack/core': '2.3.3',
    '@rspack/cli': '2.2.8',
    react: '19.3.1',
    'react-dom': '19.3.1',
  },
  starter: 'create-rspack@2.2.3 -d app -t react-js --no-git --package-name app',
  files: {
    ...reactApp,
    'rspack.config.js': `import { defineConfig } from '@rspack/cli'
import { rspack } from '@rspack/core'

export default defineConfig({
  entry: { main: './src/main.jsx' },
  output: { module: true, publicPath: '/', filename: '[name].[contenthash].js' },
  resolve: { extensions: ['...', '.jsx'] },
  module: {
    rules: [
      {
        test: /\\.jsx?$/,
        loader: 'builtin:swc-loader',
        options: { detectSyntax: 'auto', jsc: { transform: { react: { runtime: 'automatic' } } } },
      },
    ],
  },
  plugins: [new rspack.HtmlRspackPlugin({ template: './index.html', scriptLoading: 'module' })],
})
`,
  },
  build: 'rspack build',
  output: 'dist',
  configured: "`output.module`, `scriptLoading: 'module'`",
}
