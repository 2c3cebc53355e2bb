/** The rate that a server advertised, kept by the client itself: then nothing is ever slowed.
 * A bucket of so many tokens that fills at a steady rate; 0 per second is no bound.
 */
export class Bucket {
  private tokens: number
  private at = 0

  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
  ) {
    this.tokens = burst
  }

  spend(now: number, amount: number): void {
    if (this.perSecond <= 0) return
    this.fill(now)
    this.tokens -= amount
  }

  /** When `amount` will be there; what is larger than the bucket goes when it is full. */
  readyAt(amount: number): number {
    if (this.perSecond <= 0) return 0
    const missing = Math.min(amount, this.burst) - this.tokens
    return missing <= 0 ? this.at : this.at + Math.ceil((missing * 1000) / this.perSecond)
  }

  private fill(now: number): void {
    const grown = (Math.max(0, now - this.at) * this.perSecond) / 1000
    this.tokens = Math.min(this.burst, this.tokens + grown)
    this.at = Math.max(this.at, now)
  }
}
