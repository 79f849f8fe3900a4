-- For wrk: with a file among its arguments, POSTs the file's lines, or GETs them; prints the figures as one line of JSON.
local lines, place = nil, 0

function init(arguments)
  if arguments[1] then
    lines = {}
    for line in io.lines(arguments[1]) do
      lines[#lines + 1] = line
    end
    place = tonumber(arguments[2])
    wrk.method = arguments[3]
    if wrk.method == "POST" then
      wrk.headers["Content-Type"] = "application/json"
    end
  end
end

function request()
  if lines then
    place = place + 1
    local line = lines[(place - 1) % #lines + 1]
    if wrk.method == "GET" then
      return wrk.format(nil, line)
    end
    wrk.body = line
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
