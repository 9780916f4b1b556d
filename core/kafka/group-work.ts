// What a consumer group is given to do: one message after the other, taken for good or left to another member.

export interface GroupMessage {
  readonly topic: string
  /** A topic that is made again has another one; undefined with brokers before 2.8. */
  readonly topicId?: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer
  readonly traceparent?: string
}

export interface GroupOptions {
  readonly groupId: string
  readonly topic: string
  /** Where a group without history begins; default its end. */
  readonly from?: 'earliest' | 'latest'
  /** A member that is silent for so long is taken to be dead; default 10 s. */
  readonly sessionTimeoutMs?: number
}

/** Takes the message for good: no other member gets it. Rejects when it went to another member meanwhile. */
export type Take = () => Promise<void>
/** `later`: the message is not taken; this member leaves the group and another one gets it. */
export type Work = (message: GroupMessage, take: Take) => Promise<'done' | 'later'>
