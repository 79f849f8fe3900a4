/* The content policy lets htmx add no styles to a page, and nothing here needs it to evaluate texts. */
"use strict";

htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
