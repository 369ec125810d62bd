// Reads {policies, requests} from standard input, writes for each request whether the policies allow
// it. A request that the simulator cannot evaluate (an unknown action, a resource of the wrong type)
// is an error and not a refusal: exit 1, with what is wrong with it.
import { runSimulation } from '@cloud-copilot/iam-simulate'
import { text } from 'node:stream/consumers'

const { principal, policies, requests } = JSON.parse(await text(process.stdin))

async function evaluate({ action, resource, context, resourcePolicy }) {
  const outcome = await runSimulation(
    {
      request: {
        principal,
        action,
        resource: { resource, accountId: principal.split(':')[4] },
        contextVariables: context
      },
      resourcePolicy: resourcePolicy ?? undefined,
      identityPolicies: policies.map((policy, index) => ({ name: `${index}`, policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: []
    },
    {}
  )
  if (outcome.resultType === 'error') {
    throw new Error(`${action} on ${resource}: ${JSON.stringify(outcome.errors)}`)
  }
  const ignored = outcome.result?.ignoredContextKeys ?? []
  if (ignored.length > 0) {
    throw new Error(`${action} on ${resource} knows no context key ${ignored.join(', ')}`)
  }
  return outcome.overallResult === 'Allowed'
}

try {
  process.stdout.write(JSON.stringify(await Promise.all(requests.map(evaluate))))
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
