import { createColors } from 'picocolors'
