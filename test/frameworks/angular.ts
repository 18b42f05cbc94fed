import { forPages, tellPage, type Framework } from './framework.ts'

const version = '22.2.7'

/** Angular, with its own starter and bundler. */
export const angular: Framework = {
  name: 'Angular',
  packages: { '@angular/cli': version, '@angular/build': version },
  starter: `@angular/cli@${version} new app --defaults --routing --style css --ssr false --skip-git --skip-install --skip-tests`,
  files: {
    'src/app/app.routes.ts': `import { Routes } from '@angular/router'

export const routes: Routes = [
  { path: '', loadComponent: () => import('./home').then((module) => module.Page) },
  { path: 'a', loadComponent: () => import('./a').then((module) => module.Page) },
  { path: 'b', loadComponent: () => import('./b').then((module) => module.Page) },
]
`,
    'src/app/app.html': `<a routerLink="/a">a</a> <a routerLink="/b">b</a>
<router-outlet />
`,
    'src/app/app.ts': `import { Component } from '@angular/core'
import { RouterLink, RouterOutlet } from '@angular/router'

@Component({
  selector: 'app-root',
  imports: [RouterLink, RouterOutlet],
  templateUrl: './app.html',
})
export class App {}
`,
    ...forPages(
      (page) => `src/app/${page}.ts`,
      (page) => `import { Component } from '@angular/core'

@Component({ selector: 'app-${page}', template: '<h1>${page}</h1>' })
export class Page {
  ngOnInit() {
    ${tellPage(page)}
  }
}
`,
    ),
  },
  build: 'ng build',
  output: 'dist/app/browser',
  configured: 'nothing',
}
