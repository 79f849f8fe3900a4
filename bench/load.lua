-- For wrk: with a file among its arguments, POSTs the file's lines; prints the figures as one line of JSON.
local bodies, place = nil, 0

function init(arguments)
  if arguments[1] then
    bodies = {}
    for line in io.lines(arguments[1]) do
      bodies[#bodies + 1] = line
    end
    place = tonumber(arguments[2])
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
  end
end

function request()
  if bodies then
    place = place + 1
    wrk.body = bodies[(place - 1) % #bodies + 1]
  end
  return wrk.format()
end

function done(summary, latency)
  local broken = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    '{"requests":%d,"refused":%d,"broken":%d,"seconds":%.6f,"p50":%d,"p99":%d}\n',
    summary.requests, summary.errors.status, broken, summary.duration / 1e6,
    latency:percentile(50), latency:percentile(99)))
end
