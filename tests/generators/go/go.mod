module tradebook

go 1.24

require gopkg.in/validator.v2 v2.0.0

replace gopkg.in/validator.v2 => ./validator
